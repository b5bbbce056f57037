#include "standin_device.hpp"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/library.h>

#include <algorithm>
#include <mutex>

namespace petlab::tests {
namespace {

constexpr c10::DeviceType kType = c10::DeviceType::PrivateUse1;
const c10::Device kDevice(kType, 0);

struct State {
  std::mutex mutex;
  Traffic traffic;
};

State& state() {
  static State the_state;
  return the_state;
}

// While LibTorch runs an operator on copies in the host's memory: they are no traffic.
thread_local bool g_inside = false;

class Inside {
 public:
  Inside() : before_(g_inside) { g_inside = true; }
  ~Inside() { g_inside = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  bool before_;
};

template <class Change>
void note(Change change) {
  if (g_inside) return;
  const std::lock_guard lock(state().mutex);
  change(state().traffic);
}

// ------------------------------------------------------------------------------------ memory

void free_memory(void* pointer) {
  c10::free_cpu(pointer);
}

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* const pointer = c10::alloc_cpu(bytes);
    return {pointer, pointer, free_memory, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return free_memory; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

Memory& memory() {
  static Memory the_memory;
  return the_memory;
}

struct Guard final : c10::impl::NoOpDeviceGuardImpl<kType> {
  c10::Device exchangeDevice(c10::Device /*device*/) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  c10::Stream getStream(c10::Device /*device*/) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
  c10::Stream exchangeStream(c10::Stream /*stream*/) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex /*device*/) const override { return true; }
};

// The same memory as a tensor of the CPU.
at::Tensor on_host(const at::Tensor& tensor) {
  return tensor.device().type() == kType
             ? at::from_blob(tensor.mutable_data_ptr(), tensor.sizes(), tensor.strides(),
                             at::TensorOptions().dtype(tensor.scalar_type()))
             : tensor;
}

// --------------------------------------------------------------------------------- operators

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout> /*layout*/, std::optional<at::Device> /*device*/,
                 std::optional<bool> /*pin*/, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory(),
                                   c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   type.value_or(at::kFloat), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride,
                         std::optional<at::ScalarType> type, std::optional<at::Layout> /*layout*/,
                         std::optional<at::Device> /*device*/, std::optional<bool> /*pin*/) {
  return at::detail::empty_strided_generic(size, stride, &memory(),
                                           c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           type.value_or(at::kFloat));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  note([&](Traffic& seen) {
    if (from.is_cpu())
      ++(non_blocking ? seen.uploads : seen.waiting_uploads);
    else if (to.is_cpu())
      ++seen.downloads;
    else
      ++seen.operators;
  });
  const Inside inside;
  on_host(to).copy_(on_host(from));
  return to;
}

// Operators give results of unknown size in empty tensors, which then grow.
const at::Tensor& resize_to(const at::Tensor& tensor, at::IntArrayRef size,
                            std::optional<at::MemoryFormat> /*format*/) {
  if (tensor.sizes() == size) return tensor;
  const at::Tensor larger = at::empty(size, tensor.options());
  c10::TensorImpl* const impl = tensor.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(larger.storage());
  impl->set_storage_offset(0);
  impl->set_sizes_contiguous(size);
  return tensor;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  resize_to(to, from.sizes(), std::nullopt);
  return copy_from(from, to, /*non_blocking=*/false);
}

at::Scalar read_number(const at::Tensor& tensor) {
  note([](Traffic& seen) { ++seen.downloads; });
  const Inside inside;
  return on_host(tensor).item();
}

bool is_mixed(const torch::jit::Stack& stack, std::size_t arguments) {
  bool on_device = false;
  bool on_cpu = false;
  const auto look = [&](const at::Tensor& tensor) {
    if (!tensor.defined()) return;
    if (tensor.device().type() == kType) on_device = true;
    // Numbers of the host may go with tensors of a GPU.
    if (tensor.is_cpu() && tensor.dim() > 0) on_cpu = true;
  };
  for (std::size_t i = stack.size() - arguments; i < stack.size(); ++i) {
    const c10::IValue& value = stack[i];
    if (value.isTensor()) look(value.toTensor());
    if (value.isTensorList())
      for (const at::Tensor& tensor : value.toTensorVector())
        look(tensor);
    if (value.isOptionalTensorList())
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector())
        if (tensor) look(*tensor);
    if (value.isGenerator() && value.toGenerator().device().is_cpu()) on_cpu = true;
  }
  return on_device && on_cpu;
}

void run_on_host(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const bool mixed = is_mixed(*stack, op.schema().arguments().size());
  note([&](Traffic& seen) {
    ++seen.operators;
    const std::string name = c10::toString(op.operator_name());
    if (mixed && std::find(seen.mixed.begin(), seen.mixed.end(), name) == seen.mixed.end())
      seen.mixed.push_back(name);
  });
  const Inside inside;
  at::native::cpu_fallback(op, stack);
}

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_host>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", TORCH_FN(empty));
  library.impl("empty_strided", TORCH_FN(empty_strided));
  library.impl("_copy_from", TORCH_FN(copy_from));
  library.impl("_copy_from_and_resize", TORCH_FN(copy_from_and_resize));
  library.impl("_local_scalar_dense", TORCH_FN(read_number));
  library.impl("resize_", TORCH_FN(resize_to));
  library.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  library.impl("unfold", TORCH_FN(at::native::unfold));
  library.impl("view", TORCH_FN(at::native::view));
  library.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
}

}  // namespace

c10::Device standin_device() {
  static const bool is_registered = [] {
    c10::register_privateuse1_backend("standin");
    c10::SetAllocator(kType, &memory());
    at::RegisterPrivateUse1HooksInterface(new Hooks);  // for the whole process
    return true;
  }();
  (void)is_registered;
  return kDevice;
}

Traffic traffic() {
  const std::lock_guard lock(state().mutex);
  return state().traffic;
}

void reset_traffic() {
  const std::lock_guard lock(state().mutex);
  state().traffic = {};
}

}  // namespace petlab::tests
