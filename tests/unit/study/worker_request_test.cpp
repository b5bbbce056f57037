#include "petlab/base/error.hpp"
#include "petlab/study/worker.hpp"

#include <gtest/gtest.h>

namespace petlab::study {
namespace {

TEST(WorkerRequest, SurvivesItsJourneyUnchanged) {
  WorkerRequest order;
  engine::RunSpec& spec = order.job.spec;
  spec.study = "demo \"quoted\" \xc3\xa9";
  spec.label = "row";
  spec.row = 3;
  spec.method = "mmap";
  spec.method_options = {{"b", "16"}, {"template", "a {}."}};
  spec.sharing = engine::Sharing::grouped_specific;
  spec.grouping = engine::GroupingSpec{"gradient", {{"groups", "2"}}};
  spec.seed = 9007199254740993U;  // no double holds it
  spec.training.learning_rate = 1.0 / 3.0;
  spec.training.schedule = engine::Schedule::constant;
  spec.training.augmentation = engine::Augmentation::crop_flip;
  spec.training.task_loss = engine::TaskLoss::mean;
  spec.training.precision = engine::Precision::bf16;
  spec.dataset.name = "office-home";
  spec.dataset.root = "/my pictures";
  spec.dataset.domains = {"Real World", "Art"};
  spec.dataset.lists = "/lists";
  spec.dataset.split = "shots";
  spec.dataset.train_shots = 4;
  spec.dataset.split_list = "a/*.txt";
  spec.dataset.split_base = "/base/";
  spec.dataset.validation_shots = 2;
  spec.dataset.validation = engine::ValidationPart::list;
  spec.dataset.development_fraction = 0.3;
  spec.dataset.development_seed = 7;
  spec.threads = 2;
  order.job.identity = {"abc", {{"a", "1"}, {"b", "2"}}};
  order.job.plugin_files = {"/x/petlab_mmap.so", "/x/petlab_gradient.so"};
  order.job.environment = {{"sources", "clean"}};
  order.store = "/results/demo.sqlite";
  order.store_file = {.device = 66306, .inode = 18446744073709551615U};
  order.parent = 42;
  order.detached = DetachedRun{"/shared/demo.sqlite.checkpoints", "/tmp/features"};
  spec.training.slices = 4;
  order.ranks = {.rank = 2, .size = 4, .address = "node1", .port = 65535, .key = "petlab/run/0"};

  const WorkerRequest copy = parse_worker_request(to_json(order));
  EXPECT_EQ(to_json(copy), to_json(order));
  EXPECT_EQ(copy.job.spec.seed, spec.seed);
  EXPECT_EQ(copy.job.spec.training.learning_rate, 1.0 / 3.0);
  EXPECT_EQ(copy.job.spec.training.schedule, engine::Schedule::constant);
  EXPECT_EQ(copy.job.spec.training.augmentation, engine::Augmentation::crop_flip);
  EXPECT_EQ(copy.job.spec.training.task_loss, engine::TaskLoss::mean);
  EXPECT_EQ(copy.job.spec.dataset.root, "/my pictures");
  EXPECT_EQ(copy.job.spec.dataset.domains, spec.dataset.domains);
  EXPECT_EQ(copy.job.spec.dataset.lists, "/lists");
  EXPECT_EQ(copy.job.spec.dataset.split, "shots");
  EXPECT_EQ(copy.job.spec.dataset.train_shots, 4);
  EXPECT_EQ(copy.job.spec.dataset.split_list, "a/*.txt");
  EXPECT_EQ(copy.job.spec.dataset.split_base, "/base/");
  EXPECT_EQ(copy.job.spec.dataset.validation_shots, 2);
  EXPECT_EQ(copy.job.spec.dataset.validation, engine::ValidationPart::list);
  EXPECT_EQ(copy.job.spec.dataset.development_fraction, 0.3);
  EXPECT_EQ(copy.job.spec.dataset.development_seed, 7);
  ASSERT_TRUE(copy.job.spec.grouping.has_value());
  EXPECT_EQ(copy.job.spec.grouping->options.at("groups"), "2");
  EXPECT_EQ(copy.job.plugin_files, order.job.plugin_files);
  EXPECT_EQ(copy.job.identity.parts, order.job.identity.parts);
  ASSERT_TRUE(copy.detached.has_value());
  EXPECT_EQ(copy.detached->checkpoints, order.detached->checkpoints);
  EXPECT_EQ(copy.job.spec.training.slices, 4);
  EXPECT_EQ(copy.ranks.rank, 2);
  EXPECT_EQ(copy.ranks.size, 4);
  EXPECT_EQ(copy.ranks.address, "node1");
  EXPECT_EQ(copy.ranks.port, 65535);
  EXPECT_EQ(copy.ranks.key, "petlab/run/0");
}

TEST(WorkerRequest, WithoutGroupingStaysWithoutIt) {
  EXPECT_FALSE(parse_worker_request(to_json(WorkerRequest{})).job.spec.grouping.has_value());
}

TEST(WorkerRequest, OtherTextsAreRefused) {
  for (const char* text : {"", "{}", "[1,2]", "{\"spec\": 1}"})
    EXPECT_THROW((void)parse_worker_request(text), base::Error) << text;
}

}  // namespace
}  // namespace petlab::study
