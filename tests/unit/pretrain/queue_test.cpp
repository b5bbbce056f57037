#include "queue.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace petlab::pretrain {
namespace {

PairFacts numbered(std::int64_t first, std::int64_t n) {
  const at::Tensor values = at::arange(first, first + n, at::kLong);
  return {values, values + 100, values + 200, values + 300, values + 400};
}

void add(Queue& queue, std::int64_t first, std::int64_t n) {
  const at::Tensor features = at::arange(first, first + n, at::kFloat).view({n, 1}).expand({n, 2});
  queue.add(features, -features, numbered(first, n));
}

TEST(Queue, KeepsTheNewestPairs) {
  Queue queue(5, 2, c10::kCPU);
  EXPECT_EQ(queue.size(), 0);
  add(queue, 0, 3);
  EXPECT_EQ(queue.size(), 3);
  add(queue, 3, 3);
  EXPECT_EQ(queue.size(), 5);
  // The sixth pair took the first one's place; picture, text and facts stay together.
  EXPECT_TRUE(queue.facts().subjects.equal(at::tensor({5, 1, 2, 3, 4}, at::kLong)));
  EXPECT_TRUE(queue.facts().claimed_sets.equal(at::tensor({405, 401, 402, 403, 404}, at::kLong)));
  EXPECT_EQ(queue.images()[0][0].item<float>(), 5.0F);
  EXPECT_EQ(queue.texts()[0][1].item<float>(), -5.0F);
}

TEST(Queue, GoesOnFromItsState) {
  Queue one(4, 2, c10::kCPU);
  add(one, 0, 3);
  Queue other(4, 2, c10::kCPU);
  other.load_state(one.state());
  add(one, 10, 2);
  add(other, 10, 2);
  EXPECT_TRUE(one.facts().subjects.equal(other.facts().subjects));
  EXPECT_TRUE(one.images().equal(other.images()));
  EXPECT_THROW(other.load_state({}), base::Error);
}

TEST(Queue, WithoutRoomStaysEmpty) {
  Queue queue(0, 2, c10::kCPU);
  add(queue, 0, 3);
  EXPECT_EQ(queue.size(), 0);
  EXPECT_TRUE(queue.state().empty());
}

}  // namespace
}  // namespace petlab::pretrain
