#include "pdf.hpp"

#include "petlab/base/error.hpp"

#include <cairo-pdf.h>
#include <librsvg/rsvg.h>

#include <memory>

namespace petlab::reports {
namespace {

constexpr double kPointsOfPixel = 72.0 / 96.0;

struct SurfaceDelete {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct ContextDelete {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
struct ObjectDelete {
  void operator()(void* object) const { g_object_unref(object); }
};

[[noreturn]] void throw_undrawable(GError* error) {
  const std::string reason = error != nullptr ? error->message : "no reason given";
  g_clear_error(&error);
  throw base::Error(base::ErrorKind::internal, "a figure cannot be drawn as PDF: " + reason);
}

cairo_status_t append(void* bytes, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::string pdf_of_svg(const std::string& svg) {
  GError* error = nullptr;
  const std::unique_ptr<RsvgHandle, ObjectDelete> handle(
      rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error));
  if (!handle) throw_undrawable(error);
  double width = 0.0;
  double height = 0.0;
  if (rsvg_handle_get_intrinsic_size_in_pixels(handle.get(), &width, &height) == FALSE) {
    throw base::Error(base::ErrorKind::internal, "a figure cannot be drawn as PDF: it has no size");
  }
  std::string bytes;
  {
    const std::unique_ptr<cairo_surface_t, SurfaceDelete> surface(
        cairo_pdf_surface_create_for_stream(append, &bytes, width * kPointsOfPixel,
                                            height * kPointsOfPixel));
    // Cairo would write the time of day.
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE,
                                   "2000-01-01T00:00:00Z");
    const std::unique_ptr<cairo_t, ContextDelete> context(cairo_create(surface.get()));
    const RsvgRectangle page{0, 0, width * kPointsOfPixel, height * kPointsOfPixel};
    if (rsvg_handle_render_document(handle.get(), context.get(), &page, &error) == FALSE) {
      throw_undrawable(error);
    }
    cairo_surface_finish(surface.get());
    if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) {
      throw base::Error(base::ErrorKind::internal, "a figure cannot be drawn as PDF: cairo failed");
    }
  }
  return bytes;
}

}  // namespace petlab::reports
