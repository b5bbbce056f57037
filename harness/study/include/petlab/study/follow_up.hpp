#pragma once

#include "petlab/study/plan.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "petlab/study/protocol.hpp"

#include <set>
#include <string>

/// Base to new: a study on base classes (engine::DatasetSpec::classes) whose adapters are tested on
/// the new classes too.
namespace petlab::study {

/// True for a study whose runs are tested on the new classes after they are done: one on base
/// classes that tests on test images.
[[nodiscard]] bool tests_new_classes(const Protocol& protocol);

/// Labels of planned rows whose adapters belong to the classes that they are trained on (class
/// heads, remembered examples, prompts of each class), so that they say nothing of other classes.
/// Made before any run, from adapters without training. Loads the backbone. Throws what the method
/// throws for options that do not fit it.
[[nodiscard]] std::set<std::string> rows_without_new_classes(const Protocol& protocol,
                                                             const Plan& plan,
                                                             const PluginRegistry& plugins);

/// The same as one sentence for people; "" where there are none.
[[nodiscard]] std::string new_classes_note(const std::set<std::string>& rows);

/// The protocol with the new classes in the place of the base classes.
[[nodiscard]] Protocol on_new_classes(Protocol protocol);

}  // namespace petlab::study
