#pragma once

#include "petlab/clip/config.hpp"
#include "petlab/clip/tokenizer.hpp"
#include "petlab/sdk/adapter.hpp"

#include <ATen/core/Generator.h>
#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace petlab::clip {

/// How the text tower computes a batch: `shared` computes what texts have in common once and
/// nothing behind their ends, wherever that is possible; `plain` computes every text by itself. The
/// results differ in the rounding of sums.
enum class TextPath : std::uint32_t { shared, plain };

/// The default of TowerBatch::text_budget: 4 GiB.
inline constexpr std::int64_t kTextBudget = std::int64_t{4} << 30;

/// The changes of a batch in one tower, for one or more sets of adapters.
struct TowerBatch {
  /// Prompts: `layers[l]` is [n_prompt_sets, n_prompt, width] or undefined where earlier prompts
  /// flow on (see sdk::TowerChanges).
  std::vector<at::Tensor> layers;
  /// int64 [B], the row of `layers[l]` that each sample uses; undefined when there is one for all.
  at::Tensor set_of_sample;
  /// Text only, int64 [B, L + n_prompt]: the sequence with prompts behind the start token is put
  /// into this order before the positions are added; undefined: it stays. The end token stays last.
  at::Tensor token_order;
  /// Modules: the adapters of each set in their order, and how many samples in a row are of each
  /// set (not needed for one set). The changes must outlive the forward and its backward.
  std::vector<std::vector<const sdk::TowerChanges*>> sets;
  std::vector<std::int64_t> set_sizes;
  TextPath text_path = TextPath::shared;  ///< text only
  /// Text only: bytes of activations that a forward may keep for its backward pass. Where it would
  /// keep more, chunks of texts are computed again in the backward pass: memory stays bounded as
  /// the classes grow, for one more forward. The default holds 345 classes of 6 tasks in ViT-B/16,
  /// or about 3,500 classes.
  std::int64_t text_budget = kTextBudget;
};

/// Weights that take the place of the backbone's own in one forward, by name. The result is
/// differentiable with respect to them, so a model is trained by leaf tensors given as overrides:
/// some (full fine-tuning, bias tuning) or all (pretraining). A name that the backbone does not
/// have or another shape is Error(config).
using WeightOverrides = std::unordered_map<std::string, at::Tensor>;

struct LoadOptions {
  /// Read a TorchScript archive although its SHA-256 is none that OpenAI has published.
  bool allow_unknown_weights = false;
};

/// A pretrained CLIP: both towers, tokenizer and preprocessing. The weights are frozen (no
/// gradient) and fp32. Movable through shared ownership only; forward calls are thread-safe.
class __attribute__((visibility("default"))) Backbone final : public sdk::BackboneView {
 public:
  /// Loads a model: a directory, or a file of weights with the rest beside it.
  ///
  /// Hugging Face's layout (config.json, model.safetensors whole or sharded, a vocabulary,
  /// preprocessor_config.json), OpenCLIP's (open_clip_model.safetensors, open_clip_config.json) and
  /// OpenAI's TorchScript archives (ViT-B-16.pt; refused unless published or allowed); weights
  /// stored as fp32, fp16, bf16 or fp64. Every expected tensor must be there with its shape, and
  /// none besides (buffers of old checkpoints are passed over). The files are mapped into memory;
  /// the process needs little more than the weights themselves. Throws Error(data) naming the file
  /// and the tensor.
  [[nodiscard]] static std::shared_ptr<Backbone> load(const std::filesystem::path& model,
                                                      c10::Device device = c10::kCPU,
                                                      const LoadOptions& options = {});

  /// A backbone with weights drawn as CLIP's authors initialise them. For pretraining and tests.
  [[nodiscard]] static std::shared_ptr<Backbone> random(const Config& config, Tokenizer tokenizer,
                                                        const Preprocessing& preprocessing,
                                                        at::Generator& generator);

  ~Backbone() override;

  [[nodiscard]] const Config& config() const;
  [[nodiscard]] const Tokenizer& tokenizer() const;
  [[nodiscard]] const Preprocessing& preprocessing() const;
  [[nodiscard]] c10::Device device() const;

  [[nodiscard]] const sdk::BackboneShape& shape() const override;
  [[nodiscard]] std::vector<sdk::NamedTensor> weights() const override;
  [[nodiscard]] at::Tensor token_embeddings(std::string_view text) const override;
  [[nodiscard]] at::Tensor text_features(const std::vector<std::string>& texts) const override;

  /// Image features: pixels fp32 [B, 3, S, S], normalised -> [B, embed_dim], not normalised.
  [[nodiscard]] at::Tensor encode_image(const at::Tensor& pixels, const TowerBatch& prompts = {},
                                        const WeightOverrides& overrides = {}) const;

  /// What the first `layers` blocks (1 or more, fewer than all) make of pixels as encode_image()
  /// takes them, where no adapter changes them or anything before them: the stream
  /// [B, 1 + patches, width] (of SigLIP [B, patches, width]) that enters the next block. For images
  /// that are seen more than once.
  [[nodiscard]] at::Tensor encode_image_below(const at::Tensor& pixels, std::int64_t layers) const;

  /// The rest: encode_image() but for the rounding of sums, from a stream of encode_image_below().
  /// Throws Error(internal) where `prompts` change one of the first `layers` blocks.
  [[nodiscard]] at::Tensor encode_image_above(const at::Tensor& stream, std::int64_t layers,
                                              const TowerBatch& prompts) const;

  /// Text features: [N, embed_dim], not normalised. Prompts stand behind the start token (of
  /// SigLIP, which has none, in front of the text), so a text of L tokens becomes L + n_prompt
  /// long. Throws Error(config) when that passes the context length.
  [[nodiscard]] at::Tensor encode_text(const TokenBatch& tokens, const TowerBatch& prompts = {},
                                       const WeightOverrides& overrides = {}) const;

  /// exp(logit_scale), a scalar tensor.
  [[nodiscard]] at::Tensor logit_scale(const WeightOverrides& overrides = {}) const;

  /// Trainable parameters if all weights were trained: 149,620,737 for ViT-B/16.
  [[nodiscard]] std::int64_t parameter_count() const;

  /// SHA-256 over names, shapes and bytes of all weights as they are now, in name order.
  [[nodiscard]] std::string weight_hash() const;

  /// model_settings_hash() of the files that this backbone was loaded from, as they were read then.
  [[nodiscard]] std::string settings_hash() const;

  /// Writes config.json, model.safetensors (weights stored as `dtype`) and
  /// preprocessor_config.json; the tokenizer's files are copied from `tokenizer_dir`. `trained`
  /// weights take the place of the backbone's own. Throws Error(config) for an OpenCLIP whose text
  /// tower Hugging Face's layout cannot say.
  void save(const std::filesystem::path& model_dir, const std::filesystem::path& tokenizer_dir,
            at::ScalarType dtype, const WeightOverrides& trained = {}) const;

 private:
  struct Impl;
  explicit Backbone(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Stacks the changes of several adapter sets into one batch. `sets[s]` holds the changes of the
/// adapters of set s in their order (group first, task second); their prompts are concatenated
/// along the tokens. Sets with modules need `set_sizes` too, which the caller fills in. Throws
/// Error(config) when the sets differ in layers or prompt lengths.
[[nodiscard]] TowerBatch stack_changes(
    const std::vector<std::vector<const sdk::TowerChanges*>>& sets, std::int64_t n_layers,
    const at::Tensor& set_of_sample);

/// Room for TokenBatch::layouts. Keyed by the TowerBatch's set_of_sample as an object, so hand in
/// the same tensor every time.
[[nodiscard]] std::shared_ptr<TextLayouts> keep_layouts();

/// Output of a tower [B, embed_dim] with the feature adapters of the batch; encode_image() and
/// encode_text() leave them to this, so that features of an untouched tower can be kept.
[[nodiscard]] at::Tensor adapt_features(const at::Tensor& features, const TowerBatch& batch);

/// Rows of unit length.
[[nodiscard]] at::Tensor unit_length(const at::Tensor& features);

/// Cosine similarities times the logit scale: image features [B, E] and text features [C, E], both
/// not normalised -> [B, C].
[[nodiscard]] at::Tensor similarity_logits(const at::Tensor& image_features,
                                           const at::Tensor& text_features,
                                           const at::Tensor& logit_scale);

}  // namespace petlab::clip
