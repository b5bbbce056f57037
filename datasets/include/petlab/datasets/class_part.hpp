#pragma once

#include <array>
#include <string>

namespace petlab::datasets {

struct Dataset;

/// Which classes of a data set train and test. Base to new (Zhou et al. 2022, CoCoOp): of the n
/// classes in the order of their labels, the first ceil(n / 2) are the base classes and the others
/// the new ones. n counts the classes over all domains that are loaded, so that a class is a base
/// class in all domains or in none.
enum class ClassPart { all, base, unseen };

/// The names of the parts, in the order of the enumerators.
inline constexpr std::array kClassPartNames = {"all", "base", "new"};

[[nodiscard]] std::string to_string(ClassPart part);

/// Leaves each domain the classes of a part; pictures, labels and fingerprint stay, and splits
/// (choose_split) hold pictures of these classes alone. Throws base::Error(data) naming a domain
/// with fewer than two of them, whose accuracy would say nothing.
void take_classes(Dataset& dataset, ClassPart part);

}  // namespace petlab::datasets
