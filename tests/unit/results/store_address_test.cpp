#include "petlab/results/store_address.hpp"

#include "petlab/base/error.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::results {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string address_refusal(const std::string& address) {
  try {
    check_address(address);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
    return error.what();
  }
  return "taken";
}

TEST(StoreAddress, IsAFileOrADatabase) {
  for (const char* file : {"results/demo.sqlite", "/a/postgresql.sqlite", "postgresql:/x", "a?b"}) {
    EXPECT_FALSE(is_on_server(file)) << file;
    EXPECT_EQ(address_refusal(file), "taken") << file;
  }
  for (const char* uri :
       {"postgresql://db/petlab", "postgres://lab@db:5433/petlab?sslmode=verify-full",
        "postgresql:///petlab?host=/run/postgresql", "postgresql://lab%40work@db/petlab",
        "postgresql://[::1]:5432/petlab", "postgresql://db/petlab?files=/scratch/a"}) {
    EXPECT_TRUE(is_on_server(uri)) << uri;
    EXPECT_EQ(address_refusal(uri), "taken") << uri;
    EXPECT_EQ(database_of(uri), "petlab") << uri;
  }
}

TEST(StoreAddress, RefusesAPasswordAndNeverRepeatsIt) {
  for (const char* uri :
       {"postgresql://lab:S3cret@db/petlab", "postgres://lab:S3cret@db:5433/petlab",
        "postgresql://lab:S3cret/with?all@db/petlab", "postgresql://:S3cret@db/petlab",
        "postgresql://db/petlab?user=lab&password=S3cret",
        "postgresql://db/petlab?pass%77ord=S3cret", "postgresql://db/petlab?sslpassword=S3cret",
        "postgresql://lab:S3cret@db/petlab?files=/x", "postgresql://lab:S3cret@"}) {
    const std::string said = address_refusal(uri);
    EXPECT_THAT(said, AllOf(HasSubstr("there is a password in it"), HasSubstr("PGPASSWORD"),
                            HasSubstr("~/.pgpass")))
        << uri;
    EXPECT_THAT(said, Not(HasSubstr("S3cret"))) << uri;
    EXPECT_THROW(RunStore store(uri), base::Error) << uri;
  }
  EXPECT_EQ(without_passwords("no option '--stor=postgresql://lab:S3cret@db/p' here"),
            "no option '--stor=postgresql://lab:***@db/p' here");
  EXPECT_EQ(without_passwords("postgres://db/p?password=S3cret&x=1"),
            "postgres://db/p?password=***&x=1");
  EXPECT_EQ(without_passwords("12:30 me@host"), "12:30 me@host");
}

TEST(StoreAddress, RefusesWhatNamesNoDatabase) {
  EXPECT_THAT(address_refusal("postgresql://db"),
              HasSubstr("it names no database; expected postgresql://"));
  EXPECT_THAT(address_refusal("postgresql://db/petlab?sslmodus=on"),
              AllOf(HasSubstr("it is no address of a database"), HasSubstr("sslmodus")));
}

TEST(StoreAddress, SaysWhereFilesBesideTheStoreLie) {
  EXPECT_EQ(beside_store("results/demo.sqlite"), "results/demo.sqlite");
  EXPECT_EQ(beside_store("postgresql://lab@db.lab.org/petlab"), "results/petlab@db.lab.org");
  EXPECT_EQ(beside_store("postgresql://db:5433/petlab?files=/scratch/a%20b"),
            "/scratch/a b/petlab@db-5433");
  EXPECT_EQ(beside_store("postgresql:///petlab?host=/run/postgresql"), "results/petlab@localhost");
  EXPECT_EQ(beside_store("postgresql:///..%2F..%2Fx?host=db"), "results/.._.._x@db");
  EXPECT_EQ(adapter_file("postgresql://db/petlab?files=f", "abc"),
            "f/petlab@db.adapters/abc.safetensors");
}

TEST(StoreAddress, IsAbsoluteWithTheFolderOfItsFiles) {
  const std::filesystem::path here = std::filesystem::current_path();
  EXPECT_EQ(absolute_address("a.sqlite"), here / "a.sqlite");
  const auto moved = absolute_address("postgresql://db/petlab?files=f%20g&sslmode=require");
  EXPECT_EQ(beside_store(moved), here / "f g/petlab@db");
  EXPECT_EQ(server_uri(moved), "postgresql://db/petlab?sslmode=require");
  EXPECT_EQ(beside_store(absolute_address("postgresql://db/petlab")), here / "results/petlab@db");
  EXPECT_TRUE(is_same_store(moved, "postgresql://db/petlab?sslmode=require"));
  EXPECT_FALSE(is_same_store("postgresql://db/petlab", "postgresql://db/other"));
}

}  // namespace
}  // namespace petlab::results
