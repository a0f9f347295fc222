// SPDX-License-Identifier: Apache-2.0
// Arrays that are a file, or parts of one, told by where the file is and which it is: for pickle and for tokens.
//
//   (path, (inode, bytes, nanoseconds of the last change), None or (dtype, shape, offset, swapped), steps)
//
// None says that the file's own header tells how its elements lie. Steps are what was done to the opened array, first
// to last: ("cast", dtype) or ("view", type, indices, axes, shape), the members of graph::View.

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "bind.h"
#include "docs.h"
#include "penstock/base/error.h"
#include "penstock/base/file.h"
#include "slots.h"
#include "walk.h"

namespace penstock::bind {
namespace {

/// The file an array comes from, and the conversions and views on the way, last first; no file for all others.
struct Origin {
  std::shared_ptr<store::FileSource> file;
  std::vector<graph::NodeRef> steps;
};

Origin origin_of(const Array& array) {
  const std::lock_guard lock(graph::graph_mutex());
  Origin origin;
  graph::NodeRef node = array.node();
  while (node->as<graph::CastTo>() != nullptr || node->as<graph::View>() != nullptr) {
    origin.steps.push_back(node);
    node = graph::NodeRef(node->inputs[0]);
  }
  if (const auto* file = node->as<graph::InFile>()) origin.file = file->file;
  return origin;
}

/// What tells a file from others, on every machine that it is seen from: device numbers are a machine's own.
nb::tuple identity(std::uint64_t inode, std::int64_t size, std::int64_t modified_ns) {
  return nb::make_tuple(inode, size, modified_ns);
}

nb::tuple packed(const Index& index) {
  return nb::make_tuple(static_cast<int>(index.type), index.start, index.stop ? nb::cast(*index.stop) : nb::none(),
                        index.step, index.has_start);
}

Index unpacked(nb::handle item) {
  Index index;
  index.type = static_cast<Index::Type>(nb::cast<int>(nb::object(item[0])));
  index.start = nb::cast<std::int64_t>(nb::object(item[1]));
  if (!nb::object(item[2]).is_none()) index.stop = nb::cast<std::int64_t>(nb::object(item[2]));
  index.step = nb::cast<std::int64_t>(nb::object(item[3]));
  index.has_start = nb::cast<bool>(nb::object(item[4]));
  return index;
}

nb::tuple packed(const graph::Node& node) {
  const auto* view = node.as<graph::View>();
  if (view == nullptr) return nb::make_tuple("cast", name_of(node.dtype));
  nb::list indices;
  for (const Index& index : view->indices) indices.append(packed(index));
  nb::list axes;
  for (const int axis : view->axes) axes.append(axis);
  return nb::make_tuple("view", static_cast<int>(view->type), nb::tuple(indices), nb::tuple(axes),
                        tuple_of(view->shape));
}

graph::NodeRef applied(const graph::NodeRef& in, nb::handle step) {
  if (nb::cast<std::string>(nb::object(step[0])) == "cast") return graph::make_cast(in, need_dtype(step[1]));
  graph::View view;
  const int type = nb::cast<int>(nb::object(step[1]));
  if (type < 0 || type > static_cast<int>(graph::View::Type::kReshape)) throw ArgumentError(cat("view ", type));
  view.type = static_cast<graph::View::Type>(type);
  for (const nb::handle index : nb::object(step[2])) view.indices.push_back(unpacked(index));
  for (const nb::handle axis : nb::object(step[3])) view.axes.push_back(nb::cast<int>(axis));
  view.shape = dims_of(step[4], "shape");
  return graph::make_view(in, std::move(view));
}

/// Whether the path still leads to the file that is open.
bool still_there(const store::FileSource& file) {
  try {
    const Fd fd = open_regular(file.path());
    const FileFacts facts = file_facts(fd.get(), file.path());
    const store::Generation now{facts.device, facts.inode, facts.size, facts.modified_ns};
    return now == file.generation();
  } catch (const Error&) {
    return false;
  }
}

nb::object reference_of(const Array& array) {
  const Origin origin = origin_of(array);
  if (origin.file == nullptr || !origin.file->attached() || !unlocked([&] { return still_there(*origin.file); })) {
    return nb::none();
  }
  const store::FileFormat& format = origin.file->format();
  const store::Generation& now = origin.file->generation();
  nb::object bare = nb::none();
  if (format.name == "raw") {
    bare = nb::make_tuple(name_of(format.dtype), tuple_of(format.layout.shape), format.layout.offset, format.swapped);
  } else if (!format.name.starts_with("npy")) {
    return nb::none();
  }
  nb::list steps;
  for (auto step = origin.steps.rbegin(); step != origin.steps.rend(); ++step) {
    const std::lock_guard lock(graph::graph_mutex());
    steps.append(packed(**step));
  }
  return nb::make_tuple(origin.file->path(), identity(now.inode, now.size, now.modified_ns), bare, nb::tuple(steps));
}

Array from_reference(const std::string& path, nb::handle expected, nb::handle bare, nb::handle steps) {
  std::shared_ptr<store::FileSource> file;
  if (bare.is_none()) {
    file = unlocked([&] { return store::open_npy(path); });
  } else {
    const DType dtype = need_dtype(bare[0]);
    const Dims shape = dims_of(bare[1], "shape");
    const auto offset = nb::cast<std::int64_t>(nb::object(bare[2]));
    const bool swapped = nb::cast<bool>(nb::object(bare[3]));
    file = unlocked([&] { return store::open_raw(path, dtype, shape, offset, swapped); });
  }
  const store::Generation& now = file->generation();
  if (!identity(now.inode, now.size, now.modified_ns).equal(expected)) {
    throw FileChangedError(cat(path,
                               ": this is another file, or another state of it, than the array was pickled with: "
                               "expected (inode, bytes, time) ",
                               repr_text(expected), ", got ", repr_text(identity(now.inode, now.size, now.modified_ns)),
                               "; pickle the array again, or pickle its values: penstock.evaluate(x) before"));
  }
  graph::NodeRef node = graph::make_file(std::move(file));
  for (const nb::handle step : steps) node = applied(node, step);
  return Array(std::move(node));
}

/// Whether evaluating the array reads memory that somebody else may write to.
bool borrows(const Array& array) {
  const std::lock_guard lock(graph::graph_mutex());
  bool found = false;
  walk(array, [&](const graph::Node& node) {
    const auto* held = node.as<graph::InMemory>();
    found = found || (held != nullptr && held->memory->owned_bytes() == 0);
  });
  return found;
}

}  // namespace

void bind_references(nb::module_& m, ArrayClass& cls) {
  m.def("reference_of", &reference_of, nb::arg("x"),
        "What names the file that x is or is a part of, for from_reference(); None where x is no unchanged file's.",
        nb::sig("def reference_of(x: Array) -> tuple[typing.Any, ...] | None"));
  m.def("from_reference", &from_reference, nb::arg("path"), nb::arg("identity"), nb::arg("bare").none(),
        nb::arg("steps"),
        "The array that reference_of() named. Raises MissingFileError, and FileChangedError for another file.",
        nb::sig("def from_reference(path: str, identity: tuple[int, int, int], bare: tuple[typing.Any, ...] | None, "
                "steps: tuple[typing.Any, ...]) -> Array"));
  m.def("borrows", &borrows, nb::arg("x"), "Whether evaluating x reads memory that somebody else may write to.",
        nb::sig("def borrows(x: Array) -> builtins.bool"));
  const auto rest = [](const char* name) { return nb::module_::import_("penstock._pickling").attr(name); };
  cls.def(
      "__reduce_ex__",
      [rest](const nb::object& self, int protocol) { return nb::object(rest("reduced")(self, protocol)); },
      nb::arg("protocol"), doc_of("Array.__reduce_ex__").c_str(),
      nb::sig("def __reduce_ex__(self, protocol: typing.SupportsIndex, /) -> tuple[typing.Any, ...]"));
  cls.def(
      "__copy__", [](const Array& self) { return object_of(self); }, doc_of("Array.__copy__").c_str(),
      nb::sig("def __copy__(self) -> Array"));
  cls.def(
      "__deepcopy__", [rest](const nb::object& self, nb::handle) { return nb::object(rest("deep_copy")(self)); },
      nb::arg("memo").none(), doc_of("Array.__deepcopy__").c_str(),
      nb::sig("def __deepcopy__(self, memo: object, /) -> Array"));
  cls.def(
      "copy", [rest](const nb::object& self) { return nb::object(rest("deep_copy")(self)); },
      doc_of("Array.copy").c_str(), nb::sig("def copy(self) -> Array"));
  cls.def(
      "__dask_tokenize__", [rest](const nb::object& self) { return nb::object(rest("token")(self)); },
      doc_of("Array.__dask_tokenize__").c_str(), nb::sig("def __dask_tokenize__(self) -> tuple[typing.Any, ...]"));
}

}  // namespace penstock::bind
