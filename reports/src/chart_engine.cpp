#include "chart_engine.hpp"

#include "page_files.hpp"
#include "petlab/base/error.hpp"

#include <duktape.h>

#include <map>
#include <string_view>

namespace petlab::reports {
namespace {

// ECharts asks for timers, which it does not need to draw once.
constexpr std::string_view kBefore =
    "var setTimeout = function () { return 0; }, clearTimeout = function () {};";

constexpr std::string_view kAfter = R"js(
var petlab_study = null;
function petlab_take_study(study) {
  petlab_study = JSON.parse(study);
  return '';
}
function petlab_charts_of() {
  return JSON.stringify(petlabCharts.figures(petlab_study));
}
function petlab_svg(chart, width) {
  var named = JSON.parse(chart);
  var drawn = petlabCharts.draw[named.kind](petlab_study, {width: width, dark: false, file: true, row: named.row});
  var canvas = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: drawn.height});
  canvas.setOption(drawn.option);
  var svg = canvas.renderToSVGString();
  canvas.dispose();
  return svg;
}
)js";

// Names that are not UTF-8 are shown with replacement characters rather than refused.
std::string text_of(const nlohmann::ordered_json& data) {
  return data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

[[noreturn]] void throw_script_error(duk_context* context, const std::string& what) {
  std::string message = duk_safe_to_stacktrace(context, -1);
  duk_pop(context);
  throw base::Error(base::ErrorKind::internal, "drawing charts: " + what + ": " + message);
}

}  // namespace

struct ChartEngine::Impl {
  struct Closer {
    void operator()(duk_context* opened) const { duk_destroy_heap(opened); }
  };
  std::unique_ptr<duk_context, Closer> context{duk_create_heap_default()};

  void load(std::string_view source, const char* name) {
    duk_push_string(context.get(), name);
    if (duk_pcompile_lstring_filename(context.get(), 0, source.data(), source.size()) != 0 ||
        duk_pcall(context.get(), 0) != 0) {
      throw_script_error(context.get(), name);
    }
    duk_pop(context.get());
  }

  // The study that the script works on: it reads the text once for all charts of the study.
  void take(const nlohmann::ordered_json& study) {
    std::string text = text_of(study);
    if (text == taken) return;
    call("petlab_take_study", {text});
    taken = std::move(text);
    drawn.clear();
  }
  std::string taken;
  std::map<std::string, std::string> drawn;  // SVG documents of the study, by what was asked for

  // Calls a global function with texts and perhaps a number; its result is a text.
  std::string call(const char* function, const std::vector<std::string>& texts, int width = 0) {
    duk_get_global_string(context.get(), function);
    for (const std::string& text : texts)
      duk_push_lstring(context.get(), text.data(), text.size());
    duk_push_int(context.get(), width);
    if (duk_pcall(context.get(), static_cast<duk_idx_t>(texts.size()) + 1) != 0) {
      throw_script_error(context.get(), function);
    }
    duk_size_t length = 0;
    const char* text = duk_safe_to_lstring(context.get(), -1, &length);
    std::string result(text, length);
    duk_pop(context.get());
    return result;
  }
};

ChartEngine::ChartEngine() : impl_(std::make_unique<Impl>()) {
  if (!impl_->context) {
    throw base::Error(base::ErrorKind::internal, "drawing charts: no memory for the script engine");
  }
  impl_->load(kBefore, "before");
  impl_->load(page_files::echarts, "echarts.min.js");
  impl_->load(page_files::charts, "charts.js");
  impl_->load(kAfter, "after");
}

ChartEngine::~ChartEngine() = default;
ChartEngine::ChartEngine(ChartEngine&&) noexcept = default;
ChartEngine& ChartEngine::operator=(ChartEngine&&) noexcept = default;

std::vector<ChartName> ChartEngine::charts_of(const nlohmann::ordered_json& study) {
  impl_->take(study);
  std::vector<ChartName> charts;
  for (const auto& chart : nlohmann::json::parse(impl_->call("petlab_charts_of", {}))) {
    charts.push_back({chart.at("name"), chart.at("kind"), chart.value("row", std::string())});
  }
  return charts;
}

std::string ChartEngine::svg(const nlohmann::ordered_json& study, const ChartName& chart,
                             int width) {
  impl_->take(study);
  const nlohmann::ordered_json named = {{"kind", chart.kind}, {"row", chart.row}};
  const std::string asked = text_of(named) + std::to_string(width);
  const auto known = impl_->drawn.find(asked);
  if (known != impl_->drawn.end()) return known->second;
  return impl_->drawn[asked] = impl_->call("petlab_svg", {text_of(named)}, width);
}

}  // namespace petlab::reports
