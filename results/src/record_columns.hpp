#pragma once

#include "stored_column.hpp"

#include <array>

/// The columns that hold the members of each record, in the order in which they are written and
/// read. A new one stands here, in record.hpp and in the newest file of results/schema, nowhere
/// else. Keys of rows and what belongs to other tables are the queries' own.
namespace petlab::results {

inline constexpr std::array kRunColumns = {
    stored<&RunRecord::status>("status"),
    stored<&RunRecord::error_kind>("error_kind"),
    stored<&RunRecord::error>("error"),
    stored<&RunRecord::method>("method"),
    stored<&RunRecord::method_trait>("method_trait"),
    stored<&RunRecord::plugin>("plugin"),
    stored<&RunRecord::plugin_version>("plugin_version"),
    stored<&RunRecord::sharing>("sharing"),
    stored<&RunRecord::grouping_strategy>("grouping"),
    stored<&RunRecord::seed>("seed"),
    stored<&RunRecord::backbone>("backbone"),
    stored<&RunRecord::total_backbone_parameters>("backbone_parameters"),
    stored<&RunRecord::precision>("precision"),
    stored<&RunRecord::started>("started"),
    stored<&RunRecord::finished>("finished"),
    stored<&RunRecord::frozen_hash_before>("frozen_hash_before"),
    stored<&RunRecord::frozen_hash_after>("frozen_hash_after"),
    stored<&RunRecord::trained_hash>("trained_hash"),
    stored<&RunRecord::test_evaluations>("test_evaluations"),
    stored<&RunRecord::determinism>("determinism"),
    stored<&RunRecord::resumed>("resumed"),
    stored<&RunRecord::step_flops>("step_flops"),
    stored<&RunRecord::image_flops>("image_flops"),
    stored<&RunRecord::adapters_hash>("adapters_hash"),
    stored<&RunRecord::adapters_bytes>("adapters_bytes"),
    stored<&RunRecord::kind>("kind"),
    stored<&RunRecord::parent>("parent"),
};

inline constexpr std::array kParameterColumns = {
    stored<&ParameterCount::scope>("scope"),
    stored<&ParameterCount::owner>("owner"),
    stored<&ParameterCount::trainable>("trainable"),
    stored<&ParameterCount::stored_bytes>("stored_bytes"),
};

inline constexpr std::array kCostColumns = {
    stored<&PhaseCost::phase>("phase"),
    stored<&PhaseCost::seconds>("seconds"),
    stored<&PhaseCost::images>("images"),
    stored<&PhaseCost::peak_host_bytes>("peak_host_bytes"),
    stored<&PhaseCost::peak_device_bytes>("peak_device_bytes"),
    stored<&PhaseCost::flops>("flops"),
};

inline constexpr std::array kEpochColumns = {
    stored<&EpochRecord::phase>("phase"),     stored<&EpochRecord::epoch>("epoch"),
    stored<&EpochRecord::loss>("loss"),       stored<&EpochRecord::learning_rate>("learning_rate"),
    stored<&EpochRecord::seconds>("seconds"), stored<&EpochRecord::steps>("steps"),
    stored<&EpochRecord::images>("images"),
};

inline constexpr std::array kTaskResultColumns = {
    stored<&TaskResult::n_train>("n_train"),
    stored<&TaskResult::n_test>("n_test"),
    stored<&TaskResult::n_correct>("n_correct"),
    stored<&TaskResult::loss>("loss"),
};

inline constexpr std::array kGroupingColumns = {
    stored<&GroupingRecord::strategy>("strategy"),
    stored<&GroupingRecord::seconds>("seconds"),
};

inline constexpr std::array kPlanColumns = {
    stored<&PlannedRun::row_index>("row_index"), stored<&PlannedRun::seed>("seed"),
    stored<&PlannedRun::row_label>("row_label"), stored<&PlannedRun::method>("method"),
    stored<&PlannedRun::sharing>("sharing"),     stored<&PlannedRun::grouping>("grouping"),
    stored<&PlannedRun::hash>("identity"),
};

inline constexpr std::array kSearchColumns = {
    stored<&SearchRecord::row_index>("row_index"),
    stored<&SearchRecord::strategy>("strategy"),
    stored<&SearchRecord::trials>("trials"),
    stored<&SearchRecord::added_trials>("added_trials"),
    stored<&SearchRecord::trial_runs>("trial_runs"),
    stored<&SearchRecord::study>("trial_study"),
    stored<&SearchRecord::validation_accuracy>("validation_accuracy"),
    stored<&SearchRecord::scored_on>("scored_on"),
    stored<&SearchRecord::standard_error>("standard_error"),
};

inline constexpr std::array kVerificationColumns = {
    stored<&VerificationRecord::time>("time"),
    stored<&VerificationRecord::level>("level"),
    stored<&VerificationRecord::trained_hash>("trained_hash"),
    stored<&VerificationRecord::predictions>("predictions"),
    stored<&VerificationRecord::changed_predictions>("changed_predictions"),
};

}  // namespace petlab::results
