#include "petlab/core/identity.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace petlab::core {
namespace {

RunSpec sample_spec() {
  RunSpec spec;
  spec.study = "demo";
  spec.label = "mmap-groups";
  spec.method = "mmap";
  spec.method_options = {{"b", "16"}, {"m", "0"}};
  spec.sharing = Sharing::grouped_specific;
  spec.grouping = GroupingSpec{"gradient", {{"groups", "2"}}};
  spec.dataset.name = "icon-home";
  spec.dataset.root = "/pictures";
  spec.dataset.train_fraction = 0.1;
  spec.backbone = "/clip";
  return spec;
}

RunFacts sample_facts() {
  return {"data", "split", "weights", "settings", "plugin", "grouping", "host", "2.13.0"};
}

std::string id(const RunSpec& spec, const RunFacts& facts) {
  return run_identity(spec, facts).hash;
}

TEST(RunIdentity, EveryPartThatDecidesTheResultChangesIt) {
  const std::vector<std::function<void(RunSpec&, RunFacts&)>> changes = {
      [](RunSpec& s, RunFacts&) { s.method = "mmaq"; },
      [](RunSpec& s, RunFacts&) { s.method_options["b"] = "17"; },
      [](RunSpec& s, RunFacts&) { s.method_options["n"] = "1"; },
      [](RunSpec& s, RunFacts&) { s.sharing = Sharing::grouped; },
      [](RunSpec& s, RunFacts&) { s.grouping->strategy = "random"; },
      [](RunSpec& s, RunFacts&) { s.grouping->options["groups"] = "3"; },
      [](RunSpec& s, RunFacts&) { s.grouping.reset(); },
      [](RunSpec& s, RunFacts&) { s.seed = 2; },
      [](RunSpec& s, RunFacts&) { s.training.epochs = 6; },
      [](RunSpec& s, RunFacts&) { s.training.batch = 5; },
      [](RunSpec& s, RunFacts&) { s.training.optimizer = "adamw"; },
      [](RunSpec& s, RunFacts&) { s.training.learning_rate = 0.0020000000000000005; },
      [](RunSpec& s, RunFacts&) { s.training.weight_decay = 0; },
      [](RunSpec& s, RunFacts&) { s.training.momentum = 0; },
      [](RunSpec& s, RunFacts&) { s.training.schedule = Schedule::constant; },
      [](RunSpec& s, RunFacts&) { s.training.warmup_epochs = 0; },
      [](RunSpec& s, RunFacts&) { s.training.warmup_learning_rate = 0; },
      [](RunSpec& s, RunFacts&) { s.training.augmentation = Augmentation::flip; },
      [](RunSpec& s, RunFacts&) { s.training.task_loss = TaskLoss::mean; },
      [](RunSpec& s, RunFacts&) { s.training.precision = "bf16"; },
      [](RunSpec& s, RunFacts&) { s.device = "cuda"; },
      [](RunSpec& s, RunFacts&) { s.dataset.train_fraction = 0.2; },
      [](RunSpec& s, RunFacts&) { s.dataset.validation_fraction = 0.5; },
      [](RunSpec&, RunFacts& f) { f.dataset_fingerprint = "datb"; },
      [](RunSpec&, RunFacts& f) { f.split_hash = "splis"; },
      [](RunSpec&, RunFacts& f) { f.backbone_weights = "weight"; },
      [](RunSpec&, RunFacts& f) { f.backbone_settings = "setting"; },
      [](RunSpec&, RunFacts& f) { f.method_sources = "plugim"; },
      [](RunSpec&, RunFacts& f) { f.grouping_sources = "groupinf"; },
      [](RunSpec&, RunFacts& f) { f.host_sources = "hos"; },
      [](RunSpec&, RunFacts& f) { f.torch_version = "2.13.1"; },
  };
  std::set<std::string> ids = {id(sample_spec(), sample_facts())};
  for (const auto& change : changes) {
    RunSpec spec = sample_spec();
    RunFacts facts = sample_facts();
    change(spec, facts);
    EXPECT_TRUE(ids.insert(id(spec, facts)).second) << "change " << ids.size();
  }
}

TEST(RunIdentity, WhatDecidesNothingChangesNothing) {
  RunSpec spec = sample_spec();
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
  RunSpec spec = sample_spec();
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
}  // namespace petlab::core
