#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace petlab::clip {

/// What a pickle says, without a Python to run it. Only what files of weights need is known:
/// numbers, texts, lists, tuples, dictionaries, plain objects, storages and tensors over them. No
/// name in a pickle is ever looked up or called; an opcode, function or persistent object outside
/// of that is an error.
class Pickle {
 public:
  using Index = std::uint32_t;

  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    list,
    tuple,
    dictionary,
    name,
    storage,
    tensor,
    object
  };

  /// A value. What it holds are indices into values(): a value may be shared, or hold itself.
  struct Value {
    Kind kind = Kind::none;
    std::int64_t number = 0;   ///< integer; boolean as 0 or 1
    std::string text;          ///< text; "module name" of a name; class of an object
    std::vector<Index> items;  ///< list, tuple; dictionary: key, value, key, value ...;
                               ///< object: its state, or nothing; storage: type name, key, size;
                               ///< tensor: storage, offset, sizes, strides
  };

  /// Reads the whole pickle (protocol 2). `where` names it in messages. Throws Error(data).
  [[nodiscard]] static Pickle parse(std::span<const unsigned char> bytes, const std::string& where);

  [[nodiscard]] const Value& root() const { return values_.at(root_); }
  [[nodiscard]] const Value& at(Index index) const { return values_.at(index); }

 private:
  friend class PickleMachine;

  std::vector<Value> values_;
  Index root_ = 0;
};

}  // namespace petlab::clip
