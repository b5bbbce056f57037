#pragma once

#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/model_hub.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/engine/setting_values.hpp"
#include "petlab/sdk/method.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// What the entries of setting_table() are made by: one function for each kind of value.
namespace petlab::engine::entries {

/// The part of the settings that a member of `Owner` is in.
template <class Owner, class Settings>
auto& part_of(Settings& settings) {
  if constexpr (std::is_same_v<Owner, Training>)
    return settings.training;
  else if constexpr (std::is_same_v<Owner, DatasetSpec>)
    return settings.dataset;
  else
    return settings;
}

/// The entry of a member that `read` makes of what is said, and `show` turns into a text.
template <class Owner, class Value, class Read, class Show>
SettingEntry entry_of(Value Owner::* member, SettingEntry entry, std::string values, Read read,
                      Show show) {
  entry.values = std::move(values);
  entry.take = [member, read](RunSettings& settings, const Setting& said) {
    part_of<Owner>(settings).*member = read(said);
  };
  entry.text = [member, show](const RunSettings& settings) {
    return show(part_of<Owner>(settings).*member);
  };
  return entry;
}

template <class Owner>
SettingEntry integer(std::int64_t Owner::* member, std::int64_t minimum, SettingEntry entry,
                     std::int64_t maximum = kLargestCount) {
  return entry_of(
      member, std::move(entry), "integer " + integer_bounds(minimum, maximum),
      [minimum, maximum](const Setting& said) { return integer_value(said, minimum, maximum); },
      base::number_text<std::int64_t>);
}

template <class Owner>
SettingEntry real(double Owner::* member, const Range& range, SettingEntry entry) {
  return entry_of(
      member, std::move(entry), "number " + to_string(range),
      [range](const Setting& said) { return real_value(said, range); }, base::number_text<double>);
}

/// "`a`, `b` or `c`" without the marks.
inline std::string one_of(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i)
    text += (i == 0 ? "" : i + 1 < choices.size() ? ", " : " or ") + choices[i];
  return text;
}

template <class Owner, class Value>
SettingEntry choice(Value Owner::* member, SettingEntry entry) {
  entry.choices = value_names<Value>();
  const std::string values = one_of(entry.choices);
  return entry_of(
      member, std::move(entry), values,
      [](const Setting& said) { return choice_value<Value>(said); },
      [](Value value) { return to_string(value); });
}

template <class Owner>
SettingEntry choice(std::string Owner::* member, std::vector<std::string> choices,
                    SettingEntry entry) {
  entry.choices = choices;
  return entry_of(
      member, std::move(entry), one_of(choices),
      [choices](const Setting& said) { return choice_value(said, choices); },
      [](const std::string& value) { return value; });
}

/// Two words, the second for true.
template <class Owner>
SettingEntry choice(bool Owner::* member, const std::pair<std::string, std::string>& words,
                    SettingEntry entry) {
  entry.choices = {words.first, words.second};
  const std::string values = one_of(entry.choices);
  return entry_of(
      member, std::move(entry), values,
      [words](const Setting& said) {
        return choice_value(said, {words.first, words.second}) == words.second;
      },
      [words](bool value) { return value ? words.second : words.first; });
}

template <class Owner>
SettingEntry path(std::filesystem::path Owner::* member, SettingEntry entry) {
  return entry_of(member, std::move(entry), "path", path_value,
                  [](const std::filesystem::path& value) { return value.string(); });
}

inline SettingEntry paths(std::vector<std::filesystem::path> DatasetSpec::* member,
                          SettingEntry entry) {
  return entry_of(
      member, std::move(entry), "paths with commas between",
      [](const Setting& said) {
        std::vector<std::filesystem::path> values;
        for (const std::string& one : list_value(said))
          values.push_back(path_value({said.key, one, said.origin, said.base}));
        return values;
      },
      [](const std::vector<std::filesystem::path>& values) {
        std::vector<std::string> texts(values.begin(), values.end());
        return base::joined(texts, ",");
      });
}

/// A model's path, or its name on the Hugging Face hub.
template <class Owner>
SettingEntry model(std::filesystem::path Owner::* member, SettingEntry entry) {
  return entry_of(
      member, std::move(entry), "path",
      [](const Setting& said) {
        if (said.value.empty()) setting_error(said, "expected a path");
        return clip::model_path(said.value, said.base);
      },
      [](const std::filesystem::path& value) { return value.string(); });
}

template <class Owner>
SettingEntry name(std::string Owner::* member, SettingEntry entry) {
  return entry_of(
      member, std::move(entry), "name",
      [](const Setting& said) {
        if (said.value.empty()) setting_error(said, "expected a name");
        return said.value;
      },
      [](const std::string& value) { return value; });
}

inline SettingEntry names(std::vector<std::string> DatasetSpec::* member, SettingEntry entry) {
  return entry_of(member, std::move(entry), "names with commas between", list_value,
                  [](const std::vector<std::string>& values) { return base::joined(values, ","); });
}

/// Lists of pictures, kept as written beside the folder where they start.
inline SettingEntry lists(SettingEntry entry) {
  entry.values = "lists with commas between";
  entry.text = [](const RunSettings& settings) { return settings.dataset.split_list; };
  entry.take = [](RunSettings& settings, const Setting& said) {
    if (said.value.empty()) setting_error(said, "expected lists, or own for the data set's own");
    settings.dataset.split_list = said.value;
    settings.dataset.split_base =
        (std::filesystem::absolute(said.base.empty() ? std::filesystem::current_path()
                                                     : said.base) /
         "")
            .lexically_normal();
  };
  return entry;
}

/// A size of the training part, or several with commas between, which are then the axis of a study.
template <class Value, class Read>
SettingEntry sizes(Value DatasetSpec::* size, std::vector<Value> DatasetSpec::* axis,
                   std::string values, Read read, SettingEntry entry) {
  entry.values = std::move(values);
  entry.take = [size, axis, read](RunSettings& settings, const Setting& said) {
    std::vector<Value> all;
    for (const std::string& one :
         said.value.empty() ? std::vector<std::string>{""} : list_value(said)) {
      all.push_back(read(Setting{said.key, one, said.origin, said.base}));
      if (std::count(all.begin(), all.end(), all.back()) > 1)
        setting_error(said, "expected each size once");
    }
    settings.dataset.*size = all.front();
    settings.dataset.*axis = all.size() > 1 ? all : std::vector<Value>();
  };
  entry.text = [size, axis](const RunSettings& settings) {
    const std::vector<Value>& all = settings.dataset.*axis;
    if (all.empty()) return base::number_text(settings.dataset.*size);
    std::string text;
    for (const Value one : all)
      text += (text.empty() ? "" : ",") + base::number_text(one);
    return text;
  };
  return entry;
}

/// A setting of a row without a publication.
inline SettingEntry of_row(SettingEntry entry) {
  entry.scope = SettingScope::row;
  entry.is_searchable = true;
  return entry;
}

/// Factors of the learning rate by name.
inline SettingEntry factors(std::map<std::string, double> Training::* member,
                            const std::vector<std::string>& names, SettingEntry entry) {
  entry.default_text = "none";
  entry.is_optional = true;
  return of_row(entry_of(
      member, std::move(entry), "names with factors: NAME:FACTOR,...",
      [names](const Setting& said) { return factors_value(said, names); }, factors_text));
}

/// Writes a member of what plugins say about methods.
template <class Part, class Value>
std::function<std::string(const Part&)> text_of(Value Part::* member) {
  return [member](const Part& part) {
    if constexpr (std::is_arithmetic_v<Value>)
      return base::number_text(part.*member);
    else
      return std::string(part.*member);
  };
}

/// A setting of a method, with what its publication says.
template <class Value>
SettingEntry published(Value sdk::TrainingDefaults::* member, SettingEntry entry) {
  entry.scope = SettingScope::row;
  entry.is_searchable = true;
  entry.default_text = "its publication's";
  entry.publication = text_of(member);
  return entry;
}

/// A setting of the study that published budgets say, too.
inline SettingEntry budgeted(std::function<std::string(const sdk::PublishedBudget&)> budget,
                             SettingEntry entry) {
  entry.budget = std::move(budget);
  return entry;
}

}  // namespace petlab::engine::entries
