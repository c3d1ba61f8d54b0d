// What has to happen in a process before TensorFlow's libraries are loaded into it; loaded first, depends on nothing but Node-API.
// Node's process.env of a worker thread does not reach getenv(), so the variables that TensorFlow reads are set here.
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <limits.h>
#include <malloc.h>
#endif

#include <string>
#include <vector>

static std::string text(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return "";
  std::vector<char> buffer(length + 1);
  napi_get_value_string_utf8(env, value, buffer.data(), buffer.size(), &length);
  return std::string(buffer.data(), length);
}

static int32_t number(napi_env env, napi_value value) {
  int32_t result = -1;
  napi_get_value_int32(env, value, &result);
  return result;
}

template <size_t N>
static void arguments(napi_env env, napi_callback_info info, napi_value (&args)[N]) {
  size_t count = N;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
}

// setVariable(name, value): setenv, keeping what the user has set.
static napi_value setVariable(napi_env env, napi_callback_info info) {
  napi_value args[2];
  arguments(env, info, args);
  setenv(text(env, args[0]).c_str(), text(env, args[1]).c_str(), 0);
  return nullptr;
}

// tuneAllocator(): tensors come from the heap, which is kept, instead of fresh pages for every one of them. Only what is larger than any tensor
// of usual batches, such as all of a big model's parameters, goes back at once: it would leave holes that nothing fits into.
static napi_value tuneAllocator(napi_env env, napi_callback_info) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 256 << 20);
#endif
  return nullptr;
}

// muteErrors(): sends the process's stderr to nowhere; returns what unmuteErrors() needs.
static napi_value muteErrors(napi_env env, napi_callback_info) {
  int saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (saved >= 0 && nowhere >= 0) dup2(nowhere, 2);
  if (nowhere >= 0) close(nowhere);
  napi_value result;
  napi_create_int32(env, saved, &result);
  return result;
}

static napi_value unmuteErrors(napi_env env, napi_callback_info info) {
  napi_value args[1];
  arguments(env, info, args);
  int saved = number(env, args[0]);
  if (saved >= 0) {
    dup2(saved, 2);
    close(saved);
  }
  return nullptr;
}

// openLibrary(path): why the dynamic linker can't load a library, or "" when it can.
static napi_value openLibrary(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  arguments(env, info, args);
  const char* why = dlopen(text(env, args[0]).c_str(), RTLD_LAZY) ? "" : dlerror();
  napi_create_string_utf8(env, why ? why : "unknown", NAPI_AUTO_LENGTH, &result);
  return result;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"setVariable", nullptr, setVariable, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"tuneAllocator", nullptr, tuneAllocator, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"muteErrors", nullptr, muteErrors, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"unmuteErrors", nullptr, unmuteErrors, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"openLibrary", nullptr, openLibrary, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties);
  return exports;
}

NAPI_MODULE(damlab_environment, init)
