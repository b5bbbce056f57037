#include "petlab/study/identity.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace petlab::study {
namespace {

engine::RunSpec sample_spec() {
  engine::RunSpec spec;
  spec.study = "demo";
  spec.label = "mmap-groups";
  spec.method = "mmap";
  spec.method_options = {{"b", "16"}, {"m", "0"}};
  spec.sharing = engine::Sharing::grouped_specific;
  spec.grouping = engine::GroupingSpec{"gradient", {{"groups", "2"}}};
  spec.dataset.name = "icon-home";
  spec.dataset.root = "/pictures";
  spec.dataset.train_fraction = 0.1;
  spec.backbone = "/clip";
  return spec;
}

RunFacts sample_facts() {
  return {"data", "split", "weights", "settings", "plugin", "grouping", "host", "2.13.0"};
}

std::string id(const engine::RunSpec& spec, const RunFacts& facts) {
  return run_identity(spec, facts).hash;
}

TEST(RunIdentity, EveryPartThatDecidesTheResultChangesIt) {
  const std::vector<std::function<void(engine::RunSpec&, RunFacts&)>> changes = {
      [](engine::RunSpec& s, RunFacts&) { s.method = "mmaq"; },
      [](engine::RunSpec& s, RunFacts&) { s.method_options["b"] = "17"; },
      [](engine::RunSpec& s, RunFacts&) { s.method_options["n"] = "1"; },
      [](engine::RunSpec& s, RunFacts&) { s.sharing = engine::Sharing::grouped; },
      [](engine::RunSpec& s, RunFacts&) { s.grouping->strategy = "random"; },
      [](engine::RunSpec& s, RunFacts&) { s.grouping->options["groups"] = "3"; },
      [](engine::RunSpec& s, RunFacts&) { s.grouping.reset(); },
      [](engine::RunSpec& s, RunFacts&) { s.seed = 2; },
      [](engine::RunSpec& s, RunFacts&) { s.training.epochs = 6; },
      [](engine::RunSpec& s, RunFacts&) { s.training.batch = 5; },
      [](engine::RunSpec& s, RunFacts&) { s.training.optimizer = engine::OptimizerKind::adamw; },
      [](engine::RunSpec& s, RunFacts&) { s.training.learning_rate = 0.0020000000000000005; },
      [](engine::RunSpec& s, RunFacts&) { s.training.weight_decay = 0; },
      [](engine::RunSpec& s, RunFacts&) { s.training.momentum = 0; },
      [](engine::RunSpec& s, RunFacts&) { s.training.schedule = engine::Schedule::constant; },
      [](engine::RunSpec& s, RunFacts&) { s.training.warmup_epochs = 0; },
      [](engine::RunSpec& s, RunFacts&) { s.training.warmup_learning_rate = 0; },
      [](engine::RunSpec& s, RunFacts&) { s.training.augmentation = engine::Augmentation::flip; },
      [](engine::RunSpec& s, RunFacts&) { s.training.task_loss = engine::TaskLoss::mean; },
      [](engine::RunSpec& s, RunFacts&) { s.training.precision = engine::Precision::bf16; },
      [](engine::RunSpec& s, RunFacts&) { s.device = engine::DeviceKind::cuda; },
      [](engine::RunSpec& s, RunFacts&) { s.dataset.train_fraction = 0.2; },
      [](engine::RunSpec& s, RunFacts&) { s.dataset.validation_fraction = 0.5; },
      [](engine::RunSpec&, RunFacts& f) { f.dataset_fingerprint = "datb"; },
      [](engine::RunSpec&, RunFacts& f) { f.split_hash = "splis"; },
      [](engine::RunSpec&, RunFacts& f) { f.backbone_weights = "weight"; },
      [](engine::RunSpec&, RunFacts& f) { f.backbone_settings = "setting"; },
      [](engine::RunSpec&, RunFacts& f) { f.method_sources = "plugim"; },
      [](engine::RunSpec&, RunFacts& f) { f.grouping_sources = "groupinf"; },
      [](engine::RunSpec&, RunFacts& f) { f.host_sources = "hos"; },
      [](engine::RunSpec&, RunFacts& f) { f.torch_version = "2.13.1"; },
  };
  std::set<std::string> ids = {id(sample_spec(), sample_facts())};
  for (const auto& change : changes) {
    engine::RunSpec spec = sample_spec();
    RunFacts facts = sample_facts();
    change(spec, facts);
    EXPECT_TRUE(ids.insert(id(spec, facts)).second) << "change " << ids.size();
  }
}

TEST(RunIdentity, WhatDecidesNothingChangesNothing) {
  engine::RunSpec spec = sample_spec();
  spec.study = "another";
  spec.label = "another";
  spec.row = 9;
  spec.dataset.root = "/elsewhere";
  spec.backbone = "/elsewhere";
  spec.cache_dir = "/elsewhere";
  spec.threads = 8;
  EXPECT_EQ(id(spec, sample_facts()), id(sample_spec(), sample_facts()));
}

TEST(RunIdentity, TheOrderOfOptionsDoesNotMatter) {
  engine::RunSpec spec = sample_spec();
  spec.method_options.clear();
  spec.method_options["m"] = "0";
  spec.method_options["b"] = "16";
  EXPECT_EQ(id(spec, sample_facts()), id(sample_spec(), sample_facts()));
}

TEST(RunIdentity, ThisBuildKnowsItsSources) {
  EXPECT_EQ(host_source_hash().size(), 64U);
  const std::set<std::string> states = {"clean", "dirty", "unknown"};
  EXPECT_EQ(states.count(host_source_state()), 1U);
}

}  // namespace
}  // namespace petlab::study
