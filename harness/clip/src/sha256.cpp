#include "sha256.hpp"

#include "petlab/base/error.hpp"

#include <openssl/evp.h>

#include <array>

namespace petlab::clip {

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

namespace {

void check(int ok) {
  if (ok != 1) throw base::Error(base::ErrorKind::internal, "OpenSSL could not compute a SHA-256");
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

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(context_->md, digest.data(), &size));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace petlab::clip
