#include "petlab/base/source_text.hpp"

#include <gtest/gtest.h>

namespace petlab::base {
namespace {

/// Whether a compiler sees the same in both.
bool same(std::string_view a, std::string_view b) {
  return canonical_source(a) == canonical_source(b);
}

TEST(SourceText, CommentsAndWhiteSpaceDoNotCount) {
  EXPECT_TRUE(same("int a = 1;  // one\n", "int a=1;"));
  EXPECT_TRUE(same("int/* a */a\n\n=\n1;", "int a = 1;"));
  EXPECT_TRUE(same("// all of it \\\n int b;\nint a;", "int a;"));
  EXPECT_TRUE(same("int a;\r\nint b;\r\n", "int a;\nint b;\n"));
  EXPECT_TRUE(same("a/**/b", "a b"));
  EXPECT_TRUE(same("", "/* nothing \"*/ // 'else"));
}

TEST(SourceText, TokensCount) {
  EXPECT_FALSE(same("int a = 1;", "int a = 2;"));
  EXPECT_FALSE(same("ab", "a b"));
  EXPECT_FALSE(same("a >> b", "a > > b"));
  EXPECT_FALSE(same("a+++b", "a + ++b"));
  EXPECT_TRUE(same("a+++b", "a ++ + b"));
  EXPECT_FALSE(same("1'000", "1 000"));
  EXPECT_FALSE(same("1e+5", "1e + 5"));
  EXPECT_TRUE(same("x/ *p", "x / * p"));
  EXPECT_FALSE(same("x / *p", "x /*p"));
}

TEST(SourceText, WhatLooksLikeACommentInALiteralCounts) {
  EXPECT_FALSE(same(R"(f("// a");)", R"(f("// b");)"));
  EXPECT_FALSE(same(R"(f("a  b");)", R"(f("a b");)"));
  EXPECT_FALSE(same(R"(f("\"/*");  /* a */ g();)", R"(f("\"/*");)"));
  EXPECT_TRUE(same(R"(f('"'); // a")", R"(f('"');)"));
  EXPECT_TRUE(same(R"(f('\''); // a)", R"(f('\'');)"));
  EXPECT_TRUE(same("f(1'000'000); // it's", "f(1'000'000);"));
}

TEST(SourceText, RawStringsAreTakenAsTheyAre) {
  EXPECT_FALSE(same("R\"x(a\n)\" // b)x\"", "R\"x(a\n)\" // c)x\""));
  EXPECT_FALSE(same("R\"(a\\\nb)\"", "R\"(ab)\""));
  EXPECT_TRUE(same("u8R\"(a)\" /* b */;", "u8R\"(a)\";"));
  // Of a name that only ends in R, the string is a plain one.
  EXPECT_TRUE(same("FOUR\"(\" // )\"", "FOUR\"(\""));
}

TEST(SourceText, PrefixesAndSuffixesBelongToALiteral) {
  EXPECT_FALSE(same("L\"a\"", "L \"a\""));
  EXPECT_FALSE(same("\"a\"_s", "\"a\" _s"));
}

TEST(SourceText, ContinuedLinesAreOne) {
  EXPECT_TRUE(same("#define A \\\n  1\n", "#define A 1\n"));
  EXPECT_TRUE(same("in\\\nt a;", "int a;"));
  EXPECT_TRUE(same("\"a\\\nb\"", "\"ab\""));
}

TEST(SourceText, PreprocessorLinesEnd) {
  EXPECT_FALSE(same("#define A\nint b;", "#define A int b;"));
  EXPECT_TRUE(same("#define A /* two\nlines */ 1\n", "#define A 1\n"));
  EXPECT_TRUE(same("  #  define A 1 // one\n\n\n", "#define A 1\n"));
  EXPECT_TRUE(same("#define A 1", "#define A 1\n"));
  EXPECT_FALSE(same("#define F(x) x\n", "#define F (x) x\n"));
  EXPECT_FALSE(same("#include <a//b.hpp>\n", "#include <a//c.hpp>\n"));
  EXPECT_TRUE(same("#include <a/b.hpp>  // why\n", "#include <a/b.hpp>\n"));
}

TEST(SourceText, TakesAnyBytes) {
  for (const char* text : {"\"", "'", "R\"", "R\"x(", "/*", "//", "\\", "#", "#define", "\xFF\xFE",
                           "u8", "1e", "don't\nx"})
    EXPECT_NO_THROW((void)canonical_source(text)) << text;
  EXPECT_TRUE(same("#error don't // a\nint a;", "#error don't // a\nint a; // b"));
}

}  // namespace
}  // namespace petlab::base
