// Threads that wait for work: a step calls the functions of vectors.h for each tensor of a model, too often to start threads each time.
#ifndef DAMLAB_THREADS_H_
#define DAMLAB_THREADS_H_

#include <stdlib.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "signals.h"

namespace damlab {

inline size_t threadCount() {
  const char* given = getenv("TF_NUM_INTRAOP_THREADS");
  const long count = given ? strtol(given, nullptr, 10) : 0;
  return count > 0 ? static_cast<size_t>(count) : std::max(1u, std::thread::hardware_concurrency());
}

class Threads {
 public:
  // The process's; never ended, since a thread that waits needs no end.
  static Threads& shared() {
    static Threads* const threads = new Threads(threadCount());
    return *threads;
  }

  // work(part) for every part below `parts`, one of them here. Where another thread of the process has the others at work, all of them here.
  void run(size_t parts, const std::function<void(size_t)>& work) {
    const std::unique_lock<std::mutex> only(calls_, std::try_to_lock);
    if (parts < 2 || waiting_.empty() || !only.owns_lock()) {
      for (size_t part = 0; part < parts; part++) work(part);
      return;
    }
    std::unique_lock<std::mutex> lock(state_);
    work_ = &work, parts_ = parts, taken_ = 0, done_ = 0;
    wake_.notify_all();
    take(lock);
    finished_.wait(lock, [&] { return done_ == parts_; });
    work_ = nullptr;
  }

 private:
  explicit Threads(size_t count) {
    const HeldSignals held;  // which the threads inherit
    for (size_t thread = 1; thread < count; thread++) {
      waiting_.emplace_back([this] {
        std::unique_lock<std::mutex> lock(state_);
        for (;;) {
          wake_.wait(lock, [&] { return work_ && taken_ < parts_; });
          take(lock);
        }
      });
      waiting_.back().detach();
    }
  }

  // Does parts until none is left; the lock is held before and after.
  void take(std::unique_lock<std::mutex>& lock) {
    while (taken_ < parts_) {
      const size_t part = taken_++;
      const auto& work = *work_;
      lock.unlock();
      work(part);
      lock.lock();
      if (++done_ == parts_) finished_.notify_one();
    }
  }

  std::mutex calls_, state_;
  std::condition_variable wake_, finished_;
  std::vector<std::thread> waiting_;
  const std::function<void(size_t)>* work_ = nullptr;
  size_t parts_ = 0, taken_ = 0, done_ = 0;
};

}  // namespace damlab

#endif  // DAMLAB_THREADS_H_
