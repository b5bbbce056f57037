#include "queue.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string>

namespace petlab::pretrain {

Queue::Queue(std::int64_t capacity, std::int64_t embed_dim, c10::Device device)
    : capacity_(capacity) {
  const auto features = at::TensorOptions().dtype(at::kFloat).device(device);
  images_ = at::zeros({capacity, embed_dim}, features);
  texts_ = at::zeros({capacity, embed_dim}, features);
  const auto numbers = [&] { return at::zeros({capacity}, features.dtype(at::kLong)); };
  facts_ = {.subjects = numbers(),
            .bits = numbers(),
            .sets = numbers(),
            .claims = numbers(),
            .claimed_sets = numbers()};
}

void Queue::for_each_tensor(auto& queue, const auto& visit) {
  visit("images", queue.images_);
  visit("texts", queue.texts_);
  visit("subjects", queue.facts_.subjects);
  visit("bits", queue.facts_.bits);
  visit("sets", queue.facts_.sets);
  visit("claims", queue.facts_.claims);
  visit("claimed_sets", queue.facts_.claimed_sets);
}

void Queue::add(const at::Tensor& images, const at::Tensor& texts, const PairFacts& facts) {
  if (capacity_ == 0) return;
  const c10::NoGradGuard no_grad;
  const std::int64_t n = std::min(images.size(0), capacity_);
  const at::Tensor places =
      (at::arange(n, at::TensorOptions(at::kLong).device(images_.device())) + next_)
          .remainder(capacity_);
  const auto put = [&](at::Tensor target, const at::Tensor& values) {
    target.index_copy_(0, places, values.detach().narrow(0, 0, n));
  };
  put(images_, images);
  put(texts_, texts);
  put(facts_.subjects, facts.subjects);
  put(facts_.bits, facts.bits);
  put(facts_.sets, facts.sets);
  put(facts_.claims, facts.claims);
  put(facts_.claimed_sets, facts.claimed_sets);
  next_ = (next_ + n) % capacity_;
  size_ = std::min(size_ + n, capacity_);
}

std::vector<sdk::NamedTensor> Queue::state() const {
  std::vector<sdk::NamedTensor> state;
  if (capacity_ == 0) return state;
  for_each_tensor(*this, [&](const char* name, const at::Tensor& value) {
    state.push_back({std::string("queue.") + name, value.cpu()});
  });
  state.push_back({"queue.place", at::tensor({size_, next_}, at::kLong)});
  return state;
}

void Queue::load_state(const std::vector<sdk::NamedTensor>& state) {
  if (capacity_ == 0) return;
  const auto get = [&](const std::string& name) {
    for (const sdk::NamedTensor& entry : state)
      if (entry.name == name) return entry.value;
    throw base::Error(base::ErrorKind::data, "the checkpoint has no '" + name +
                                                 "'; it belongs to other options, start afresh "
                                                 "without --resume");
  };
  for_each_tensor(*this, [&](const char* name, at::Tensor& value) {
    value.copy_(get(std::string("queue.") + name));
  });
  const at::Tensor place = get("queue.place");
  size_ = place[0].item<std::int64_t>();
  next_ = place[1].item<std::int64_t>();
}

}  // namespace petlab::pretrain
