#include "petlab/base/sha256.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace petlab::base {

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(md); }
};

namespace {

void check(int ok) {
  if (ok != 1) throw Error(ErrorKind::internal, "OpenSSL could not compute a SHA-256");
}

}  // namespace

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  check(context_->md != nullptr ? 1 : 0);
  check(EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::update(const void* data, std::size_t size) {
  check(EVP_DigestUpdate(context_->md, data, size));
}

void Sha256::update_text(std::string_view text) {
  std::array<std::uint8_t, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(text.size()) >> (8 * i));
  update(length);
  update(text);
}

Digest Sha256::finish() {
  Digest digest{};
  check(EVP_DigestFinal_ex(context_->md, digest.data(), nullptr));
  return digest;
}

std::string Sha256::finish_hex() {
  return to_hex(finish());
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish_hex();
}

std::string sha256_of_file(const std::filesystem::path& file) {
  const auto fail = [&] {
    throw Error(ErrorKind::data, "cannot read '" + printable(file) + "': " + std::strerror(errno));
  };
  std::error_code unknown;
  // A pipe without a writer must not hang.
  if (std::filesystem::exists(file, unknown) && !std::filesystem::is_regular_file(file, unknown))
    throw Error(ErrorKind::data, "'" + printable(file) + "' is not a regular file");
  std::ifstream in(file, std::ios::binary);
  if (!in) fail();
  Sha256 hash;
  std::vector<char> piece(std::size_t{1} << 20U);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    hash.update(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) fail();
  return hash.finish_hex();
}

}  // namespace petlab::base
