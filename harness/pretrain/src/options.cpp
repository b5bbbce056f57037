#include "petlab/pretrain/options.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"

#include <array>
#include <type_traits>
#include <variant>

namespace petlab::pretrain {

namespace {

using Member = std::variant<std::int64_t PretrainOptions::*, int PretrainOptions::*,
                            double PretrainOptions::*, std::string PretrainOptions::*,
                            Contrast PretrainOptions::*, EarlyView PretrainOptions::*>;
struct Entry {
  const char* name;
  Member member;
};

const std::array kEntries = {
    Entry{"image-size", &PretrainOptions::image_size},
    Entry{"patch-size", &PretrainOptions::patch_size},
    Entry{"vision-width", &PretrainOptions::vision_width},
    Entry{"vision-layers", &PretrainOptions::vision_layers},
    Entry{"vision-heads", &PretrainOptions::vision_heads},
    Entry{"text-width", &PretrainOptions::text_width},
    Entry{"text-layers", &PretrainOptions::text_layers},
    Entry{"text-heads", &PretrainOptions::text_heads},
    Entry{"embed-dim", &PretrainOptions::embed_dim},
    Entry{"vocab-size", &PretrainOptions::vocab_size},
    Entry{"context-length", &PretrainOptions::context_length},
    Entry{"batch-size", &PretrainOptions::batch_size},
    Entry{"learning-rate", &PretrainOptions::learning_rate},
    Entry{"layer-decay", &PretrainOptions::layer_decay},
    Entry{"weight-decay", &PretrainOptions::weight_decay},
    Entry{"warm-up", &PretrainOptions::warm_up},
    Entry{"average-decay", &PretrainOptions::average_decay},
    Entry{"contrast", &PretrainOptions::contrast},
    Entry{"contrast-weight", &PretrainOptions::contrast_weight},
    Entry{"queue", &PretrainOptions::queue},
    Entry{"fact-weight", &PretrainOptions::fact_weight},
    Entry{"pair-share", &PretrainOptions::pair_share},
    Entry{"bare-captions", &PretrainOptions::bare_captions},
    Entry{"plain-captions", &PretrainOptions::plain_captions},
    Entry{"noise-captions", &PretrainOptions::noise_captions},
    Entry{"table-families", &PretrainOptions::table_families},
    Entry{"early-view", &PretrainOptions::early_view},
    Entry{"early-grid", &PretrainOptions::early_grid},
    Entry{"early-share", &PretrainOptions::early_share},
    Entry{"distillation", &PretrainOptions::distillation},
    Entry{"teacher-share", &PretrainOptions::teacher_share},
    Entry{"held-out", &PretrainOptions::held_out},
};

/// Names of the values of an enumeration, in its order.
template <typename Enum>
constexpr std::array<const char*, 3> kValueNames{};
template <>
constexpr std::array<const char*, 3> kValueNames<Contrast>{"softmax", "sigmoid", nullptr};
template <>
constexpr std::array<const char*, 3> kValueNames<EarlyView>{"whole", "smaller", "patches"};

[[noreturn]] void refuse(const std::string& name, const std::string& value,
                         const std::string& expected) {
  throw base::Error(base::ErrorKind::config,
                    "the pretraining option " + name + " is '" + value + "', expected " + expected);
}

template <typename Value>
void read(const std::string& name, const std::string& text, Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    value = text;
  } else if constexpr (std::is_enum_v<Value>) {
    std::string known;
    for (std::size_t i = 0; i < kValueNames<Value>.size(); ++i) {
      const char* const one = kValueNames<Value>[i];
      if (one == nullptr) continue;
      if (text == one) {
        value = static_cast<Value>(i);
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(one);
    }
    refuse(name, text, "one of " + known);
  } else {
    const auto number = base::parse_number<Value>(text);
    if (!number)
      refuse(name, text, std::is_floating_point_v<Value> ? "a number" : "a whole number");
    value = *number;
  }
}

template <typename Value>
std::string shown(const Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    return value;
  } else if constexpr (std::is_enum_v<Value>) {
    return kValueNames<Value>[static_cast<std::size_t>(value)];
  } else {
    return base::number_text(value);
  }
}

}  // namespace

void set_option(PretrainOptions& options, const std::string& name, const std::string& value) {
  std::string names;
  for (const Entry& entry : kEntries) {
    if (name == entry.name) {
      std::visit([&](const auto member) { read(name, value, options.*member); }, entry.member);
      return;
    }
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw base::Error(base::ErrorKind::config,
                    "there is no pretraining option '" + name + "'; there are " + names);
}

std::vector<std::pair<std::string, std::string>> option_values(const PretrainOptions& options) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const Entry& entry : kEntries)
    values.emplace_back(
        entry.name,
        std::visit([&](const auto member) { return shown(options.*member); }, entry.member));
  return values;
}

}  // namespace petlab::pretrain
