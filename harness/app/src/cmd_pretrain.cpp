#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/pretrain/options.hpp"
#include "places.hpp"
#include "progress_view.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace petlab::app {
namespace {

using pretrain::Progress;

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

/// One line a report; pictures are counted on a terminal only.
void show(const Progress& report) {
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  if (report.phase == Progress::Phase::select) {
    std::cerr << "pool: " << report.message << "\n";
  } else if (report.phase == Progress::Phase::render) {
    if (is_terminal || report.done == report.total)
      std::cerr << (is_terminal ? "\r" : "") << "rendered " << grouped_digits(report.done) << "/"
                << grouped_digits(report.total) << (report.done == report.total ? "\n" : "");
  } else {
    char numbers[128];
    std::snprintf(numbers, sizeof numbers, "loss %.3f, rows found %s, %.0f images/s", report.loss,
                  percent(report.table_accuracy).c_str(), report.images_per_second);
    std::cerr << "step " << grouped_digits(report.done) << ": "
              << (report.is_teacher ? "teacher, " : "") << numbers;
    if (report.held_out_accuracy >= 0)
      std::cerr << ", held-out zero-shot " << percent(report.held_out_accuracy);
    std::cerr << ", " << duration_text(report.seconds_left) << " left";
    if (report.phase == Progress::Phase::saved)
      std::cerr << "; saved" << (report.is_best ? ", the best so far" : "");
    std::cerr << "\n";
    for (const pretrain::HeldOutScore& score : report.held_out)
      if (report.phase == Progress::Phase::saved)
        std::cerr << "  " << score.family << ": names alone " << percent(score.bare)
                  << ", with the right style " << percent(score.matched) << ", with a wrong one "
                  << percent(score.wrong) << "; style told " << percent(score.style) << "\n";
  }
}

}  // namespace

int run_pretrain_command(const Arguments& arguments) {
  const pretrain::PretrainOptions defaults;
  Usage usage{"pretrain",
              "--package DIR --out DIR [options]",
              "Trains a small CLIP on the icons that Icon-Home does not use, as the embedded\n"
              "backbone was trained (harness/pretrain/README.md). Writes OUT/model and, every few\n"
              "minutes, a checkpoint.",
              po::options_description("Options"),
              {},
              "  petlab pretrain --package datasets/cache/iconify-json-2.2.535 --out /tmp/clip\n"
              "  petlab pretrain --package DIR --out /tmp/clip --resume\n"};
  usage.options.add_options()("package", text_value()->required(),
                              "folder with the unpacked npm package @iconify/json");
  usage.options.add_options()("emojibase", text_value(),
                              "folder with the unpacked npm package emojibase-data");
  usage.options.add_options()("emojilib", text_value(),
                              "folder with the unpacked npm package emojilib");
  usage.options.add_options()("out", text_value()->required(), "folder for model and checkpoint");
  usage.options.add_options()("pictures", text_value(),
                              "folder for the rendered images; several trainings may share it");
  usage.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                              "NAME=VALUE, an option of model or training; may be repeated. "
                              "Defaults are in settings.txt of OUT");
  usage.options.add_options()("minutes", po::value<double>()->default_value(defaults.minutes),
                              "training time; the schedule follows the clock");
  usage.options.add_options()("steps", po::value<std::int64_t>()->default_value(defaults.steps),
                              "above 0: train so many steps instead");
  usage.options.add_options()("resume", po::bool_switch(), "go on from the checkpoint in --out");
  usage.options.add_options()("threads", po::value<int>()->default_value(defaults.threads),
                              "0 = all cores");
  usage.options.add_options()("device", text_value()->default_value(defaults.device),
                              "cpu or cuda");
  usage.options.add_options()("seed", po::value<std::uint64_t>()->default_value(defaults.seed),
                              "of weights, images and captions");
  const auto parsed = parse(usage, arguments);
  if (!parsed) return kOk;
  pretrain::PretrainOptions options;
  options.package_dir = parsed->text("package");
  options.recipe_dir = icon_home_recipe();
  options.out_dir = parsed->text("out");
  if (parsed->has("emojibase")) options.emojibase_dir = parsed->text("emojibase");
  if (parsed->has("emojilib")) options.emojilib_dir = parsed->text("emojilib");
  if (parsed->has("pictures")) options.pictures_dir = parsed->text("pictures");
  if (parsed->has("set"))
    for (const std::string& assignment : parsed->get<std::vector<std::string>>("set")) {
      const std::size_t sign = assignment.find('=');
      if (sign == std::string::npos)
        throw base::Error(base::ErrorKind::config,
                          "--set " + assignment + " has no '=', expected NAME=VALUE");
      pretrain::set_option(options, assignment.substr(0, sign), assignment.substr(sign + 1));
    }
  options.minutes = parsed->get<double>("minutes");
  options.steps = parsed->get<std::int64_t>("steps");
  options.resume = parsed->get<bool>("resume");
  options.threads = count_of(*parsed, "threads", 0, kMostThreads);
  options.device = parsed->text("device");
  options.seed = parsed->get<std::uint64_t>("seed");
  return pretrain::run_pretrain(options, show);
}

}  // namespace petlab::app
