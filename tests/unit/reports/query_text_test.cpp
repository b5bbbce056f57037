#include "petlab/reports/query_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <sstream>

namespace petlab::reports {
namespace {

using results::Blob;
using results::QueryResult;

const QueryResult kFound = {
    {"row", "n", "value"},
    {{std::string("a,\"b\""), std::int64_t{12}, 0.1},
     {std::string("line\x1b[1m"), std::monostate{}, 1e-7},
     {Blob{std::string("\x01\xab", 2)}, std::int64_t{-3}, std::monostate{}}}};

std::string text_of(const QueryResult& result, QueryFormat format) {
  std::ostringstream out;
  print_query(out, result, format);
  return out.str();
}

TEST(QueryText, IsATableForPeopleWithoutControlCharacters) {
  EXPECT_EQ(text_of(kFound, QueryFormat::text),
            "row           n  value\n"
            "-----------  --  -----\n"
            "a,\"b\"        12    0.1\n"
            "line\\x1B[1m   –  1e-07\n"
            "x'01ab'      -3      –\n"
            "(3 rows)\n");
  EXPECT_EQ(text_of({{"a"}, {}}, QueryFormat::text), "a\n-\n(0 rows)\n");
}

TEST(QueryText, IsCsvWithEmptyFieldsForNull) {
  EXPECT_EQ(text_of(kFound, QueryFormat::csv),
            "row,n,value\n\"a,\"\"b\"\"\",12,0.1\nline\x1b[1m,,1e-07\nx'01ab',-3,\n");
}

TEST(QueryText, IsJsonOfColumnsAndRows) {
  QueryResult found = kFound;
  found.rows.push_back(
      {std::string("\xff"), std::int64_t{1} << 62, std::numeric_limits<double>::infinity()});
  const auto json = nlohmann::json::parse(text_of(found, QueryFormat::json));
  EXPECT_EQ(json.at("columns"), nlohmann::json({"row", "n", "value"}));
  ASSERT_EQ(json.at("rows").size(), 4U);
  EXPECT_EQ(json["rows"][0], nlohmann::json({"a,\"b\"", 12, 0.1}));
  EXPECT_EQ(json["rows"][1][1], nullptr);
  EXPECT_EQ(json["rows"][2][0], "01ab");
  EXPECT_EQ(json["rows"][3][0], "\xEF\xBF\xBD");
  EXPECT_EQ(json["rows"][3][1], std::int64_t{1} << 62);
  EXPECT_EQ(json["rows"][3][2], nullptr);
  EXPECT_EQ(nlohmann::json::parse(text_of({{"a"}, {}}, QueryFormat::json)).at("rows").size(), 0U);
}

}  // namespace
}  // namespace petlab::reports
