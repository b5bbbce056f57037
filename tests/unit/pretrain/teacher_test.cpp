#include "teacher.hpp"

#include "petlab/pretrain/losses.hpp"
#include "petlab/pretrain/optimizer.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>

namespace petlab::pretrain {
namespace {

/// Pictures with one dark stripe each, at the column that is their row in the table.
at::Tensor striped(const at::Tensor& rows, std::int64_t size) {
  const at::Tensor columns = at::arange(size, at::kLong).div(4, "floor");
  const at::Tensor dark = columns.unsqueeze(0) == rows.unsqueeze(1);
  return at::logical_not(dark).to(at::kFloat).view({-1, 1, 1, size}).expand({-1, 3, size, size});
}

TEST(Teacher, LearnsWhichRowAPictureBelongsTo) {
  constexpr std::int64_t n_rows = 8;
  at::Generator generator = at::detail::createCPUGenerator(0);
  const Teacher teacher(n_rows, c10::kCPU, generator);
  const at::Tensor rows = at::arange(16, at::kLong).remainder(n_rows);
  const at::Tensor planes = striped(rows, 32);
  Optimizer optimizer(teacher.parameters(), 0.05, 0.999);
  const auto loss = [&] {
    return table_loss(Teacher::logits(teacher.parameters(), planes, at::kFloat), rows, 0.0);
  };
  EXPECT_NEAR(loss().item<double>(), std::log(n_rows), 1.5);
  for (int step = 0; step < 40; ++step) {
    loss().backward();
    optimizer.step(2e-3);
  }
  EXPECT_LT(loss().item<double>(), 0.1);
  const at::Tensor found = Teacher::logits(teacher.parameters(), planes, at::kFloat).argmax(1);
  EXPECT_TRUE(found.equal(rows));
}

TEST(Teacher, EveryParameterIsTrained) {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const Teacher teacher(5, c10::kCPU, generator);
  // The second half of a block has the gain 0 at first, behind which nothing has a gradient.
  Optimizer optimizer(teacher.parameters(), 0.0, 0.999);
  const at::Tensor planes = at::rand({6, 3, 48, 48}, generator, at::kFloat);
  const auto weighted = [&] {
    const at::Tensor logits = Teacher::logits(teacher.parameters(), planes, at::kFloat);
    EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{6, 5}));
    return table_loss(logits, at::tensor({0, 1, 2, 3, 4, -1}, at::kLong), 0.0);
  };
  weighted().backward();
  optimizer.step(1e-2);
  weighted().backward();
  for (const sdk::NamedTensor& parameter : teacher.parameters())
    EXPECT_GT(parameter.value.grad().abs().max().item<double>(), 0) << parameter.name;
}

TEST(Distillation, IsTheCrossEntropyWithTheTeachersShares) {
  const at::Tensor student = at::tensor({0.5, -1.0, 2.0, 0.0, 0.0, 1.0}).view({2, 3});
  const at::Tensor teacher = at::tensor({1.0, 0.0, -1.0, 3.0, 0.0, 0.0}).view({2, 3});
  double expected = 0;
  for (int i = 0; i < 2; ++i) {
    double student_sum = 0, teacher_sum = 0;
    for (int j = 0; j < 3; ++j) {
      student_sum += std::exp(student[i][j].item<double>());
      teacher_sum += std::exp(teacher[i][j].item<double>());
    }
    for (int j = 0; j < 3; ++j)
      expected -= std::exp(teacher[i][j].item<double>()) / teacher_sum *
                  (student[i][j].item<double>() - std::log(student_sum)) / 2;
  }
  EXPECT_NEAR(distillation_loss(student, teacher).item<double>(), expected, 1e-6);
}

TEST(Distillation, IsLeastWhereTheStudentIsTheTeacherAndMovesTheStudentOnly) {
  at::Tensor student = at::zeros({1, 3}).set_requires_grad(true);
  at::Tensor teacher =
      at::tensor({1.0, 0.0, -1.0}, at::kFloat).view({1, 3}).set_requires_grad(true);
  distillation_loss(student, teacher).backward();
  EXPECT_FALSE(teacher.grad().defined());
  // The gradient of a softmax cross-entropy: the student's shares less the teacher's.
  const at::Tensor expected = at::softmax(student.detach(), 1) - at::softmax(teacher.detach(), 1);
  EXPECT_TRUE(at::allclose(student.grad(), expected, 1e-5, 1e-6));
  at::Tensor same = teacher.detach().clone().set_requires_grad(true);
  distillation_loss(same, teacher).backward();
  EXPECT_LT(same.grad().abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace petlab::pretrain
