#include "petlab/clip/model_hub.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace petlab::clip {
namespace {

namespace fs = std::filesystem;

/// A cache of the hub with one model in it.
class ModelHub : public ::testing::Test {
 protected:
  ModelHub() {
    fs::create_directories(snapshots_ / "abc123");
    ::setenv("HF_HUB_CACHE", cache_.c_str(), 1);
  }
  ~ModelHub() override {
    ::unsetenv("HF_HUB_CACHE");
    ::unsetenv("HF_HOME");
    fs::remove_all(root_);
  }

  fs::path root_ = fs::temp_directory_path() / ("petlab_model_hub_" + std::to_string(::getpid()));
  fs::path cache_ = root_ / "hub";
  fs::path model_ = cache_ / "models--openai--clip-vit-base-patch16";
  fs::path snapshots_ = model_ / "snapshots";
};

TEST_F(ModelHub, ANameMeansItsSnapshot) {
  const fs::path found = model_path("openai/clip-vit-base-patch16");
  EXPECT_EQ(found, snapshots_ / "abc123");
  EXPECT_EQ(model_name(found), "clip-vit-base-patch16");
  ::unsetenv("HF_HUB_CACHE");
  ::setenv("HF_HOME", root_.c_str(), 1);
  EXPECT_EQ(model_path("openai/clip-vit-base-patch16"), found);
}

TEST_F(ModelHub, OfSeveralSnapshotsRefsSayWhichOne) {
  fs::create_directories(snapshots_ / "def456");
  const fs::path path = fs::absolute("openai/clip-vit-base-patch16");
  EXPECT_EQ(model_path("openai/clip-vit-base-patch16"), path);  // nobody can tell
  fs::create_directories(model_ / "refs");
  std::ofstream(model_ / "refs" / "main") << "def456";
  EXPECT_EQ(model_path("openai/clip-vit-base-patch16"), snapshots_ / "def456");
}

TEST_F(ModelHub, WhatIsThereComesFirst) {
  fs::create_directories(root_ / "openai" / "clip-vit-base-patch16");
  EXPECT_EQ(model_path("openai/clip-vit-base-patch16", root_),
            root_ / "openai" / "clip-vit-base-patch16");
  EXPECT_EQ(model_name(root_ / "openai" / "clip-vit-base-patch16"), "clip-vit-base-patch16");
}

TEST_F(ModelHub, OtherPathsStayPaths) {
  for (const char* path : {"/nowhere/openai/clip-vit-base-patch16", "openai/clip/more", "clip",
                           "../openai/clip-vit-base-patch16"})
    EXPECT_EQ(model_path(path), fs::absolute(path).lexically_normal());
  EXPECT_EQ(hub_hint(root_ / "clip"), "");
  EXPECT_THAT(hub_hint(fs::absolute("openai/clip-vit-large-patch14")),
              ::testing::HasSubstr("hf download openai/clip-vit-large-patch14"));
}

}  // namespace
}  // namespace petlab::clip
