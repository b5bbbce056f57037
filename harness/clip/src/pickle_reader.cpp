#include "pickle_reader.hpp"

#include "petlab/base/error.hpp"
#include "shown_text.hpp"

#include <cstring>
#include <unordered_map>

namespace petlab::clip {

namespace {

// Those of CLIP's archives have some 100 kB.
constexpr std::size_t kMaxPickleBytes = 4 << 20;

using Kind = Pickle::Kind;
using Index = Pickle::Index;
using Value = Pickle::Value;

}  // namespace

/// The stack machine of pickle, protocol 2 (opcodes as in Python's pickletools).
class PickleMachine {
 public:
  PickleMachine(std::span<const unsigned char> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  Pickle run() {
    if (bytes_.size() > kMaxPickleBytes) fail("it has more than 4 MiB");
    if (byte() != 0x80 || byte() != 2) fail("it is not of protocol 2");
    while (!step()) {
    }
    if (stack_.size() != 1 || !marks_.empty()) fail("it does not end with one value");
    pickle_.root_ = stack_.back();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::Error(base::ErrorKind::data, "the pickle in '" + where_ + "' is refused at byte " +
                                                 std::to_string(place_) + ": " + what);
  }

  unsigned char byte() {
    if (place_ >= bytes_.size()) fail("it is cut");
    return bytes_[place_++];
  }

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value |= static_cast<std::uint64_t>(byte()) << (8 * i);
    return value;
  }

  std::string text(std::uint64_t size) {
    if (size > bytes_.size() - place_) fail("a text is cut");
    std::string result(reinterpret_cast<const char*>(bytes_.data()) + place_, size);
    place_ += size;
    return result;
  }

  std::string line() {
    std::string result;
    for (char c = static_cast<char>(byte()); c != '\n'; c = static_cast<char>(byte()))
      result += c;
    return result;
  }

  Index make(Kind kind, std::int64_t value = 0, std::string content = {},
             std::vector<Index> items = {}) {
    pickle_.values_.push_back({kind, value, std::move(content), std::move(items)});
    return static_cast<Index>(pickle_.values_.size() - 1);
  }

  void push(Index value) { stack_.push_back(value); }
  void push_new(Kind kind, std::int64_t value = 0, std::string content = {}) {
    push(make(kind, value, std::move(content)));
  }

  /// Values below a mark belong to an outer one.
  Index pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("a value is missing");
    const Index value = stack_.back();
    stack_.pop_back();
    return value;
  }

  std::vector<Index> pop_to_mark() {
    if (marks_.empty()) fail("a mark is missing");
    const auto from = static_cast<std::ptrdiff_t>(marks_.back());
    marks_.pop_back();
    std::vector<Index> items(stack_.begin() + from, stack_.end());
    stack_.resize(static_cast<std::size_t>(from));
    return items;
  }

  Value& value(Index index) { return pickle_.values_[index]; }

  Index top(Kind kind, const char* what) {
    const Index index = pop();
    if (value(index).kind != kind) fail(std::string("expected ") + what);
    push(index);
    return index;
  }

  void pop_tuple(std::size_t size) {
    std::vector<Index> items(size);
    for (std::size_t i = size; i-- > 0;)
      items[i] = pop();
    push(make(Kind::tuple, 0, {}, std::move(items)));
  }

  void extend(Index target, const std::vector<Index>& items) {
    Value& into = value(target);
    if (into.kind == Kind::dictionary && items.size() % 2 != 0) fail("a key has no value");
    into.items.insert(into.items.end(), items.begin(), items.end());
  }

  void remember(std::uint64_t slot) {
    const Index index = pop();
    push(index);
    memo_[slot] = index;
  }

  void recall(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) fail("it recalls a value that it has not stored");
    push(found->second);
  }

  /// ('storage', type, key, device, elements): where a tensor's numbers lie in the archive.
  void persistent() {
    const Index tuple = top(Kind::tuple, "the tuple of a storage");
    const std::vector<Index> items = value(tuple).items;
    pop();
    if (items.size() != 5 || value(items[0]).kind != Kind::text ||
        value(items[0]).text != "storage" || value(items[1]).kind != Kind::name ||
        value(items[2]).kind != Kind::text || value(items[4]).kind != Kind::integer)
      fail("it holds a persistent object that is no storage");
    push(make(Kind::storage, 0, {}, {items[1], items[2], items[4]}));
  }

  /// The few calls that stand for data. Nothing else is ever called.
  void reduce() {
    const Index arguments = top(Kind::tuple, "the arguments of a call");
    const std::vector<Index> items = value(arguments).items;
    pop();
    const Index function = top(Kind::name, "the name of a function");
    const std::string name = value(function).text;
    pop();
    if (name == "collections OrderedDict" && items.empty()) {
      push_new(Kind::dictionary);
    } else if (name == "torch._utils _rebuild_tensor_v2" && items.size() >= 4) {
      const bool is_right =
          value(items[0]).kind == Kind::storage && value(items[1]).kind == Kind::integer &&
          value(items[2]).kind == Kind::tuple && value(items[3]).kind == Kind::tuple;
      if (!is_right) fail("a tensor is not made of a storage, an offset, sizes and strides");
      push(make(Kind::tensor, 0, {}, {items[0], items[1], items[2], items[3]}));
    } else if ((name == "torch._utils _rebuild_parameter" && items.size() == 3) ||
               (name == "torch.jit._pickle restore_type_tag" && items.size() == 2) ||
               (name.starts_with("torch.jit._pickle build_") && items.size() == 1)) {
      push(items[0]);  // the data themselves, under another name
    } else {
      fail("it calls '" + shown(name) + "', which no file of weights needs");
    }
  }

  void build() {
    const Index state = pop();
    const Index target = pop();
    push(target);
    // The attributes of an OrderedDict (PyTorch's _metadata) say nothing about weights.
    if (value(target).kind == Kind::object)
      value(target).items = {state};
    else if (value(target).kind != Kind::dictionary)
      fail("it gives a state to what has none");
  }

  void new_object() {
    top(Kind::tuple, "the arguments of a class");
    pop();
    const Index name = top(Kind::name, "the name of a class");
    pop();
    if (!value(name).text.starts_with("__torch__"))
      fail("it makes a '" + shown(value(name).text) + "', which no file of weights needs");
    push_new(Kind::object, 0, value(name).text);
  }

  void long_integer() {
    const std::size_t size = byte();
    if (size > 8) fail("it holds a number of more than 64 bits");
    std::uint64_t bits = number(size);
    // Two's complement of `size` bytes.
    if (size > 0 && size < 8 && (bits >> (8 * size - 1) & 1) != 0) bits |= ~0ULL << (8 * size);
    push_new(Kind::integer, static_cast<std::int64_t>(bits));
  }

  /// True at the end.
  bool step() {
    const unsigned char code = byte();
    switch (code) {
      case '.':
        return true;
      case '(':
        marks_.push_back(stack_.size());
        break;
      case ')':
        push_new(Kind::tuple);
        break;
      case '}':
        push_new(Kind::dictionary);
        break;
      case ']':
        push_new(Kind::list);
        break;
      case 'N':
        push_new(Kind::none);
        break;
      case 0x88:
        push_new(Kind::boolean, 1);
        break;
      case 0x89:
        push_new(Kind::boolean, 0);
        break;
      case 'K':
        push_new(Kind::integer, static_cast<std::int64_t>(number(1)));
        break;
      case 'M':
        push_new(Kind::integer, static_cast<std::int64_t>(number(2)));
        break;
      case 'J':
        push_new(Kind::integer, static_cast<std::int32_t>(number(4)));
        break;
      case 0x8a:
        long_integer();
        break;
      case 'G':
        number(8);
        push_new(Kind::real);
        break;  // no weight is a plain number
      case 'X':
        push_new(Kind::text, 0, text(number(4)));
        break;
      case 'c': {
        const std::string module = line();
        push_new(Kind::name, 0, module + " " + line());
        break;
      }
      case 't':
        push(make(Kind::tuple, 0, {}, pop_to_mark()));
        break;
      case 0x85:
        pop_tuple(1);
        break;
      case 0x86:
        pop_tuple(2);
        break;
      case 0x87:
        pop_tuple(3);
        break;
      case 'q':
        remember(number(1));
        break;
      case 'r':
        remember(number(4));
        break;
      case 'h':
        recall(number(1));
        break;
      case 'j':
        recall(number(4));
        break;
      case 'a': {
        const Index item = pop();
        extend(top(Kind::list, "a list"), {item});
        break;
      }
      case 'e': {
        const std::vector<Index> items = pop_to_mark();
        extend(top(Kind::list, "a list"), items);
        break;
      }
      case 's': {
        const Index item = pop();
        const Index key = pop();
        extend(top(Kind::dictionary, "a dictionary"), {key, item});
        break;
      }
      case 'u': {
        const std::vector<Index> items = pop_to_mark();
        extend(top(Kind::dictionary, "a dictionary"), items);
        break;
      }
      case 'Q':
        persistent();
        break;
      case 'R':
        reduce();
        break;
      case 0x81:
        new_object();
        break;
      case 'b':
        build();
        break;
      default:
        fail("the opcode " + std::to_string(code) + " is none that weights need");
    }
    return false;
  }

  std::span<const unsigned char> bytes_;
  const std::string& where_;
  std::size_t place_ = 0;
  Pickle pickle_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Index> memo_;
};

Pickle Pickle::parse(std::span<const unsigned char> bytes, const std::string& where) {
  return PickleMachine(bytes, where).run();
}

}  // namespace petlab::clip
