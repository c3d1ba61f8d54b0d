// The binding of tfjs-node as it is, and beside its functions those of kernels.h, which read and write TensorFlow's tensors in place.
#include <node_api.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels.h"
#include "signals.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#include "vectorCalls.h"

// The table of tensors is private, and the registration is replaced below.
#define private public
#include "tfjs_backend.h"
#undef private
#undef NAPI_MODULE
#define NAPI_MODULE(name, init)
#include "tfjs_binding.cc"

// What backend.cc calls in place of TFE_Execute.
extern "C" void damlabExecute(TFE_Op* op, TFE_TensorHandle** outputs, int* count, TF_Status* status) {
  const damlab::HeldSignals held;
  TFE_Execute(op, outputs, count, status);
}

namespace damlab {

using tfnodejs::TFJSBackend;

constexpr size_t MOST_ARGUMENTS = 16;

struct Call {
  napi_env env;
  size_t count = MOST_ARGUMENTS;
  napi_value args[MOST_ARGUMENTS];
  TFJSBackend* backend = nullptr;

  Call(napi_env env, napi_callback_info info) : env(env) {
    napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
    napi_get_instance_data(env, reinterpret_cast<void**>(&backend));
  }
  double number(size_t index) const {
    double value = 0;
    napi_get_value_double(env, args[index], &value);
    return value;
  }
  float* address(size_t index) const { return reinterpret_cast<float*>(static_cast<uintptr_t>(number(index))); }
  size_t size(size_t index) const { return static_cast<size_t>(number(index)); }
};

static napi_value fail(napi_env env, const char* reason) {
  napi_throw_error(env, nullptr, reason);
  return nullptr;
}

static napi_value addressValue(napi_env env, void* data) {
  napi_value result;
  napi_create_double(env, static_cast<double>(reinterpret_cast<uintptr_t>(data)), &result);
  return result;
}

// addressOf(id): where a float32 tensor's values lie; valid while the tensor lives.
static napi_value addressOf(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const auto found = call.backend->tfe_handle_map_.find(static_cast<int32_t>(call.number(0)));
  if (found == call.backend->tfe_handle_map_.end()) return fail(env, "Cannot find a tensor: it was deleted");
  if (TFE_TensorHandleDataType(found->second) != TF_FLOAT) return fail(env, "Cannot read a tensor: expected float32");
  TF_Status* status = TF_NewStatus();
  TF_Tensor* tensor = TFE_TensorHandleResolve(found->second, status);  // shares the buffer, which the handle keeps
  const bool good = TF_GetCode(status) == TF_OK;
  TF_DeleteStatus(status);
  if (!good) return fail(env, "Cannot read a tensor");
  void* data = TF_TensorData(tensor);
  TF_DeleteTensor(tensor);
  return addressValue(env, data);
}

// allocate(shape): [tensor info as executeOp gives it, address] of a new float32 tensor with arbitrary values.
static napi_value allocate(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  uint32_t rank = 0;
  napi_get_array_length(env, call.args[0], &rank);
  std::vector<int64_t> shape(rank);
  size_t length = 1;
  for (uint32_t axis = 0; axis < rank; axis++) {
    napi_value size;
    napi_get_element(env, call.args[0], axis, &size);
    napi_get_value_int64(env, size, &shape[axis]);
    length *= shape[axis];
  }
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, shape.data(), rank, length * sizeof(float));
  if (!tensor) return fail(env, "Cannot allocate a tensor: out of memory");
  TF_Status* status = TF_NewStatus();
  TFE_TensorHandle* handle = TFE_NewTensorHandle(tensor, status);
  const bool good = TF_GetCode(status) == TF_OK;
  TF_DeleteStatus(status);
  void* data = TF_TensorData(tensor);
  TF_DeleteTensor(tensor);
  if (!good) return fail(env, "Cannot allocate a tensor");
  napi_value result;
  napi_create_array_with_length(env, 2, &result);
  napi_set_element(env, result, 0, call.backend->GenerateOutputTensorInfo(env, handle));
  napi_set_element(env, result, 1, addressValue(env, data));
  return result;
}

// copyTo(id, target): a float32 tensor's values into part of a JavaScript array, without an array of their own.
static napi_value copyTo(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const auto found = call.backend->tfe_handle_map_.find(static_cast<int32_t>(call.number(0)));
  if (found == call.backend->tfe_handle_map_.end()) return fail(env, "Cannot find a tensor: it was deleted");
  size_t length = 0;
  void* target = nullptr;
  napi_get_typedarray_info(env, call.args[1], nullptr, &length, &target, nullptr, nullptr);
  TF_Status* status = TF_NewStatus();
  TF_Tensor* tensor = TFE_TensorHandleResolve(found->second, status);
  const bool good = TF_GetCode(status) == TF_OK && TF_TensorType(tensor) == TF_FLOAT && TF_TensorByteSize(tensor) == length * sizeof(float);
  TF_DeleteStatus(status);
  if (good) memcpy(target, TF_TensorData(tensor), length * sizeof(float));
  if (tensor) TF_DeleteTensor(tensor);
  return good ? nullptr : fail(env, "Cannot copy a tensor: expected float32 and an array of its length");
}

#define KERNEL(name, ...)                                         \
  static napi_value name##Call(napi_env env, napi_callback_info info) { \
    const Call c(env, info);                                      \
    name(__VA_ARGS__);                                            \
    return nullptr;                                               \
  }
#define A(index) c.address(index)
#define S(index) c.size(index)

KERNEL(quickGelu, A(0), A(1), S(2))
KERNEL(quickGeluGradient, A(0), A(1), A(2), S(3))
KERNEL(addBias, A(0), A(1), A(2), S(3), S(4))
KERNEL(columnSum, A(0), A(1), S(2), S(3))
KERNEL(layerNorm, A(0), A(1), A(2), A(3), A(4), S(5), S(6), static_cast<float>(c.number(7)))
KERNEL(layerNormGradient, A(0), A(1), A(2), A(3), A(4), A(5), A(6), S(7), S(8))
// The argument after the outputs is scratch memory, which these have of their own.
KERNEL(attention, A(0), A(1), A(2), A(3), A(4), S(6), S(7), S(8), S(9))
KERNEL(attentionGradient, A(0), A(1), A(2), A(3), A(4), A(5), A(6), A(7), S(9), S(10), S(11), S(12))

static napi_value init(napi_env env, napi_value exports) {
  napi_value result;
  {
    const HeldSignals held;  // TensorFlow's threads begin here and inherit it
    result = tfnodejs::InitTFNodeJSBinding(env, exports);
  }
  if (!result) return result;
  napi_value kernels;
  napi_create_object(env, &kernels);
#define FUNCTION(name, function) {name, nullptr, function, nullptr, nullptr, nullptr, napi_enumerable, nullptr}
  const napi_property_descriptor properties[] = {
      FUNCTION("addressOf", addressOf),
      FUNCTION("allocate", allocate),
      FUNCTION("copyTo", copyTo),
      FUNCTION("quickGelu", quickGeluCall),
      FUNCTION("quickGeluGradient", quickGeluGradientCall),
      FUNCTION("addBias", addBiasCall),
      FUNCTION("columnSum", columnSumCall),
      FUNCTION("layerNorm", layerNormCall),
      FUNCTION("layerNormGradient", layerNormGradientCall),
      FUNCTION("attention", attentionCall),
      FUNCTION("attentionGradient", attentionGradientCall),
  };
  napi_define_properties(env, kernels, sizeof(properties) / sizeof(properties[0]), properties);
  napi_set_named_property(env, kernels, "vectors", vectorFunctions(env));
  napi_set_named_property(env, result, "damlab", kernels);
  return result;
}

}  // namespace damlab

NAPI_MODULE_INIT() { return damlab::init(env, exports); }
