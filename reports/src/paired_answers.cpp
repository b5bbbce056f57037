#include "paired_answers.hpp"

#include "petlab/base/error.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <tuple>

namespace petlab::reports {
namespace {

std::string class_or_label(const results::TaskSplit& task, std::int64_t label) {
  const auto index = static_cast<std::size_t>(label);
  return index < task.classes.size() ? task.classes[index] : std::to_string(label);
}

AnswerPair answer_of(const results::TaskSplit& task, std::size_t i,
                     const results::ImagePrediction& a, const results::ImagePrediction& b) {
  AnswerPair answer;
  answer.a = class_or_label(task, a.predicted);
  answer.b = class_or_label(task, b.predicted);
  answer.a_probability = a.probability;
  answer.b_probability = b.probability;
  answer.a_right = a.predicted == task.test[i].label;
  answer.b_right = b.predicted == task.test[i].label;
  return answer;
}

double confidence(const Disagreement& image) {
  double sum = 0.0;
  for (const AnswerPair& answer : image.answers)
    sum += answer.a_probability + answer.b_probability;
  return sum / static_cast<double>(image.answers.size());
}

}  // namespace

const results::TaskResult& task_of(const results::RunRecord& run, const std::string& task) {
  for (const results::TaskResult& result : run.tasks) {
    if (result.task == task) return result;
  }
  throw base::Error(base::ErrorKind::store,
                    "run " + run.identity.hash + " has no result of task '" + task + "'");
}

std::string seed_name(const RunPair& pair) {
  const std::string a = std::to_string(pair.first->seed);
  const std::string b = std::to_string(pair.second->seed);
  return a == b ? a : a + " / " + b;
}

std::vector<GivenAnswer> given_answers(const Disagreement& image, std::string AnswerPair::* side,
                                       double AnswerPair::* probability) {
  std::vector<GivenAnswer> counts;
  for (const AnswerPair& pair : image.answers) {
    auto known = std::find_if(counts.begin(), counts.end(),
                              [&](const GivenAnswer& one) { return one.answer == pair.*side; });
    if (known == counts.end()) known = counts.insert(counts.end(), {.answer = pair.*side});
    ++known->runs;
    known->probability += pair.*probability;
  }
  for (GivenAnswer& count : counts)
    count.probability /= count.runs;
  std::stable_sort(counts.begin(), counts.end(),
                   [](const GivenAnswer& x, const GivenAnswer& y) { return x.runs > y.runs; });
  return counts;
}

Wins PairedAnswers::add(const RunPair& pair, const results::SplitRecord& split) {
  Wins wins;
  for (const results::TaskSplit& task : split.tasks) {
    if (images_.count(task.task) == 0) tasks_.push_back(task.task);
    Images& images = images_[task.task];
    const results::TaskResult& a = task_of(*pair.first, task.task);
    const results::TaskResult& b = task_of(*pair.second, task.task);
    for (std::size_t i = 0; i < task.test.size(); ++i) {
      Disagreement& image = images[task.test[i].sample_id];
      const AnswerPair answer = answer_of(task, i, a.predictions[i], b.predictions[i]);
      image.task = task.task;
      image.picture = task.test[i].sample_id;
      image.truth = class_or_label(task, task.test[i].label);
      image.answers.push_back(answer);
      image.answers.back().seed = seed_name(pair);
      image.a_right += answer.a_right ? 1 : 0;
      image.b_right += answer.b_right ? 1 : 0;
      wins.a += answer.a_right && !answer.b_right ? 1 : 0;
      wins.b += answer.b_right && !answer.a_right ? 1 : 0;
    }
  }
  wins.p = mcnemar_p(wins.a, wins.b);
  return wins;
}

std::vector<Disagreement> PairedAnswers::disagreements() const {
  std::vector<Disagreement> found;
  for (const std::string& task : tasks_) {
    for (const auto& [id, image] : images_.at(task)) {
      const bool disagree =
          std::any_of(image.answers.begin(), image.answers.end(),
                      [](const AnswerPair& answer) { return answer.a != answer.b; });
      if (disagree) found.push_back(image);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Disagreement& x, const Disagreement& y) {
    return std::make_tuple(-std::abs(x.a_right - x.b_right), -confidence(x)) <
           std::make_tuple(-std::abs(y.a_right - y.b_right), -confidence(y));
  });
  return found;
}

}  // namespace petlab::reports
