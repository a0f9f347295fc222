// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/write_part.h"

#include <algorithm>

#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/run/tile.h"

namespace penstock::run {
namespace {

/// The file of a part, whichever kind it is.
struct Outlet {
  const Destination& part;

  void write(std::int64_t offset, const std::byte* from, std::int64_t bytes) const {
    if (part.scratch)
      part.scratch->write(offset, from, bytes);
    else
      part.sink->write(offset, from, bytes);
  }
  void write_cells(std::int64_t offset, std::int64_t stride, const std::byte* from, std::int64_t cell,
                   std::int64_t n) const {
    if (part.scratch)
      part.scratch->write_cells(offset, stride, from, cell, n);
    else
      part.sink->write_cells(offset, stride, from, cell, n);
  }
};

/// A layout as cells: stretches of the file that take elements one after the other.
class Cells {
 public:
  Cells(const Layout& layout, std::int64_t size) : layout_(coalesce(layout)), size_(size) {
    if (layout_.strides.back() == size) {
      length_ = layout_.shape.back();
      layout_.shape.pop_back();
      layout_.strides.pop_back();
    }
    if (layout_.shape.empty()) {
      layout_.shape.push_back(1);
      layout_.strides.push_back(length_ * size);
    }
  }

  std::int64_t length() const { return length_; }  // elements of a cell
  std::int64_t stride() const { return layout_.strides.back(); }

  /// Where cell number `number` begins.
  std::int64_t offset(std::int64_t number) const {
    std::int64_t offset = layout_.offset;
    for (std::size_t d = layout_.shape.size(); d-- > 0; number /= layout_.shape[d])
      offset += number % layout_.shape[d] * layout_.strides[d];
    return offset;
  }
  /// Cells from `number` to the end of its row: they lie stride() apart.
  std::int64_t left_in_row(std::int64_t number) const { return layout_.shape.back() - number % layout_.shape.back(); }

 private:
  Layout layout_;
  std::int64_t size_;
  std::int64_t length_ = 1;
};

}  // namespace

void write_part(const Destination& part, const memory::Buffer& buffer, Stretch stretch, std::int64_t size) {
  const measure::Span span(part.scratch ? measure::Step::k_spill : measure::Step::k_write);
  measure::add(measure::Counter::k_bytes_written, buffer.size());
  const Outlet outlet{part};
  const Cells cells(part.layout, size);
  const std::byte* from = buffer.data();
  for (std::int64_t first = stretch.begin; first < stretch.end;) {
    const std::int64_t number = first / cells.length();
    const std::int64_t inside = first % cells.length();
    const std::int64_t whole = inside > 0 ? 0 : (stretch.end - first) / cells.length();
    const std::int64_t n = std::min(whole, cells.left_in_row(number));
    const std::int64_t elements = n > 0 ? n * cells.length() : std::min(cells.length() - inside, stretch.end - first);
    if (n > 1)
      outlet.write_cells(cells.offset(number), cells.stride(), from, cells.length() * size, n);
    else
      outlet.write(cells.offset(number) + inside * size, from, elements * size);
    from += elements * size;
    first += elements;
  }
}

}  // namespace penstock::run
