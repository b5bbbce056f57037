#include "petlab/datasets/tools/svg.hpp"

#include "petlab/base/error.hpp"

#include <cairo.h>
#include <librsvg/rsvg.h>

#include <memory>

namespace petlab::datasets::tools {
namespace {

struct SurfaceDelete {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct ContextDelete {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
struct ObjectDelete {
  void operator()(RsvgHandle* handle) const { g_object_unref(handle); }
};

[[noreturn]] void fail(GError* error) {
  const std::string reason = error != nullptr ? error->message : "unknown reason";
  if (error != nullptr) g_error_free(error);
  throw base::Error(base::ErrorKind::data, "librsvg cannot render the SVG document: " + reason);
}

}  // namespace

std::vector<std::uint8_t> render_svg(const std::string& svg, int size) {
  if (size < 1 || size > 8192) {
    throw base::Error(base::ErrorKind::config,
                      "image size " + std::to_string(size) + " is outside 1..8192");
  }
  GError* error = nullptr;
  const std::unique_ptr<RsvgHandle, ObjectDelete> handle(rsvg_handle_new_from_data(
      reinterpret_cast<const guint8*>(svg.data()), static_cast<gsize>(svg.size()), &error));
  if (!handle) fail(error);
  rsvg_handle_set_dpi(handle.get(), 96);

  // RGB24 over a white ground: compositing is cairo's, no alpha is left to undo.
  const std::unique_ptr<cairo_surface_t, SurfaceDelete> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, size, size));
  const std::unique_ptr<cairo_t, ContextDelete> context(cairo_create(surface.get()));
  cairo_set_source_rgb(context.get(), 1, 1, 1);
  cairo_paint(context.get());
  const RsvgRectangle viewport{0, 0, static_cast<double>(size), static_cast<double>(size)};
  if (rsvg_handle_render_document(handle.get(), context.get(), &viewport, &error) == FALSE) {
    fail(error);
  }
  cairo_surface_flush(surface.get());
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) {
    throw base::Error(base::ErrorKind::data,
                      "cairo cannot draw an image of size " + std::to_string(size));
  }

  const auto side = static_cast<std::size_t>(size);
  const unsigned char* data = cairo_image_surface_get_data(surface.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface.get()));
  std::vector<std::uint8_t> rgb(side * side * 3);
  for (std::size_t y = 0; y < side; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(data + y * stride);
    for (std::size_t x = 0; x < side; ++x) {
      const std::uint32_t pixel = row[x];  // 0x00RRGGBB in native byte order
      std::uint8_t* out = &rgb[(y * side + x) * 3];
      out[0] = static_cast<std::uint8_t>(pixel >> 16);
      out[1] = static_cast<std::uint8_t>(pixel >> 8);
      out[2] = static_cast<std::uint8_t>(pixel);
    }
  }
  return rgb;
}

}  // namespace petlab::datasets::tools
