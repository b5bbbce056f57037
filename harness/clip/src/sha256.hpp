#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace petlab::clip {

/// SHA-256 over everything that update() is given, in that order.
class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }

  /// 64 lower-case hexadecimal digits. Ends the object's use.
  [[nodiscard]] std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace petlab::clip
