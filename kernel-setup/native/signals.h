// oneDNN's matrix products, which TensorFlow's operations call, use the stack pointer for other things. A signal handler that starts in the
// middle of one overwrites memory: Ctrl-C, a resized terminal or a profiler then end the process with "corrupted size vs. prev_size". So
// threads that run operations hold signals back meanwhile; another thread of the process takes them, or this one after the operation.
#ifndef DAMLAB_SIGNALS_H_
#define DAMLAB_SIGNALS_H_

#include <pthread.h>
#include <signal.h>

namespace damlab {

class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    sigfillset(&held);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&held, fault);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace damlab

#endif  // DAMLAB_SIGNALS_H_
