#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/stop_request.hpp"
#include "petlab/results/identity.hpp"
#include "run/run_execution.hpp"

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <utility>

namespace petlab::engine {
namespace {

using base::ErrorKind;

/// LibTorch's own text without what follows the first line: checks of arguments go on for pages.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// What failed, where, as one sentence.
std::string sentence(const RunSpec& spec, const FailureContext& where, const std::string& what) {
  const std::string method = "method '" + spec.method + "'";
  const std::string phase = " (in " + where.phase() + ")";
  if (!where.plugin_call().empty()) {
    return method + " failed in " + where.plugin_call() + ": " + what + phase;
  }
  if (what.rfind(method, 0) == 0) return what + phase;
  return method + ": " + what + phase;
}

void fail(RunExecution& execution, const RunSpec& spec, ErrorKind kind, const std::string& what) {
  results::RunRecord& record = execution.record;
  record.status = results::RunStatus::failed;
  record.error_kind = to_string(kind);
  record.error = base::message_line(sentence(spec, execution.where, what));
  record.tasks.clear();
}

/// The kind of an exception that is no base::Error: what left a plugin is the plugin's.
ErrorKind kind_of(const RunExecution& execution) {
  return execution.where.plugin_call().empty() ? ErrorKind::internal : ErrorKind::plugin;
}

bool is_out_of_memory(const std::string& text) {
  // The CPU's allocator throws a plain c10::Error.
  return text.find("not enough memory") != std::string::npos ||
         text.find("can't allocate memory") != std::string::npos;
}

}  // namespace

results::RunRecord run_guarded(const RunSpec& spec, const RunInfo& info,
                               const std::function<RunInputs()>& prepare, Progress& progress) {
  RunExecution execution{begin_record(spec, info), info.checkpoint, info.adapters, {}};
  try {
    // The inputs, and with them all that plugins made, live until the failure is written down.
    const RunInputs inputs = prepare();
    try {
      execute(spec, inputs, progress, execution);
    } catch (const RunStopped&) {
      throw;
    } catch (const base::Error& error) {
      fail(execution, spec, error.kind(), error.what());
    } catch (const c10::OutOfMemoryError& error) {
      fail(execution, spec, ErrorKind::device, first_line(error.what_without_backtrace()));
    } catch (const c10::Error& error) {
      const std::string text = first_line(error.what_without_backtrace());
      fail(execution, spec, is_out_of_memory(text) ? ErrorKind::device : kind_of(execution), text);
    } catch (const std::bad_alloc&) {
      fail(execution, spec, ErrorKind::device, "out of memory");
    } catch (const std::exception& error) {
      fail(execution, spec, kind_of(execution), error.what());
    } catch (...) {
      fail(execution, spec, kind_of(execution), "something was thrown that is no exception");
    }
  } catch (const base::Error& error) {
    fail(execution, spec, error.kind(), error.what());
  } catch (const std::exception& error) {
    fail(execution, spec, ErrorKind::internal, first_line(error.what()));
  }
  execution.record.finished = results::utc_now();
  return std::move(execution.record);
}

results::RunRecord execute_run(const RunSpec& spec, const RunInfo& info, const RunInputs& inputs,
                               Progress& progress) {
  RunExecution execution{begin_record(spec, info), info.checkpoint, info.adapters, {}};
  execute(spec, inputs, progress, execution);
  execution.record.finished = results::utc_now();
  return std::move(execution.record);
}

}  // namespace petlab::engine
