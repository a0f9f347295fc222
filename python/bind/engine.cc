// SPDX-License-Identifier: Apache-2.0
// The engine's doors and knobs: open, save, evaluate, plan, budget, threads, targets, statistics, progress.

#include <algorithm>
#include <chrono>
#include <span>

#include "bind.h"
#include "docs.h"
#include "penstock/array/settle.h"
#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"
#include "penstock/base/machine.h"
#include "penstock/base/numa.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/memory/governor.h"
#include "penstock/run/ceilings.h"
#include "penstock/simd/target.h"
#include "penstock/store/npy_sink.h"
#include "penstock/thread/parallel.h"
#include "slots.h"

namespace penstock::bind {
namespace {

// Signals are looked for more often than an eye follows a bar.
constexpr std::chrono::milliseconds kProgressInterval{50};

/// The callback of on_progress; None when there is none.
nb::object& progress_callback() {
  static auto* callback = new nb::object(nb::none());
  return *callback;
}

/// Throws ArgumentError where the dtype does not hold one of the integers.
void check_range(nb::handle integers, DType dtype) {
  const nb::object range = nb::module_::import_("numpy").attr("iinfo")(name_of(dtype));
  const nb::object low = range.attr("min");
  const nb::object high = range.attr("max");
  for (nb::handle each : integers) {
    if (each < low || each > high)
      throw ArgumentError(cat("the integer ", str_text(each), " does not fit ", name_of(dtype)));
  }
}

/// A list whose integers no common dtype of NumPy's holds, so that it makes floats of them, as the integers asked for;
/// nothing for other lists. Throws ArgumentError where the dtype does not hold one.
std::optional<Array> exact_integers(nb::handle object, DType dtype) {
  const nb::module_ numpy = nb::module_::import_("numpy");
  const nb::object numbers = numpy.attr("asarray")(object, "object").attr("ravel")().attr("tolist")();
  for (nb::handle each : numbers) {
    if (PyLong_Check(each.ptr()) == 0) return std::nullopt;
  }
  check_range(numbers, dtype);
  return array_of(numpy.attr("asarray")(object, name_of(dtype)));
}

/// What a list says is an integer of the dtype is one: of an array's elements, which are there already, astype() makes
/// the nearest.
Array as_listed(nb::handle object, Array array, DType dtype) {
  if (!is_integer(dtype) || array.size() == 0) return array;
  if (array.dtype() == DType::k_float64) return exact_integers(object, dtype).value_or(std::move(array));
  if (!is_integer(array.dtype())) return array;
  const nb::object made = nb::module_::import_("numpy").attr("asarray")(object_of(array));
  nb::list ends;
  for (const char* end : {"min", "max"}) ends.append(nb::int_(made.attr(end)()));
  check_range(ends, dtype);
  return array;
}

nb::object as_array(nb::handle object, nb::handle dtype, nb::handle copy) {
  const std::optional<DType> wanted = dtype_of(dtype);
  const std::optional<bool> copies = optional_flag(copy, "copy");
  if (copies != true) {
    // Itself: what is assigned to one is seen in the other, as the array API has it of arrays that share memory.
    const Array* array = array_or_null(object);
    if (array != nullptr && (!wanted || array->dtype() == *wanted)) return nb::borrow(object);
  }
  if (copies == false) {
    const std::optional<Array> array = try_borrow(object);
    if (!array || (wanted && array->dtype() != *wanted)) {
      throw ArgumentError(cat("asarray of ", type_text(object), wanted ? cat(" as ", name_of(*wanted)) : std::string(),
                              " needs a copy, and copy=False forbids it"));
    }
    return object_of(*array);
  }
  const std::optional<Number> number = try_number_of(object);
  Array array = number ? full({}, *number) : array_of(object);
  // Nobody else has what was made of a list.
  const bool shared = !number && !is_list(object);
  if (!shared && wanted) array = as_listed(object, std::move(array), *wanted);
  if (copies == true && shared) array = frozen(array);
  return object_of(wanted ? astype(array, *wanted) : std::move(array));
}

Array open_file(const std::string& path, nb::handle dtype, nb::handle shape, nb::handle first, nb::handle refuse) {
  const std::int64_t offset = whole_of(first, "offset");
  const bool strict = flag_of(refuse, "strict");
  if (const std::optional<DType> raw = dtype_of(dtype)) {
    const std::optional<Dims> dims = optional_dims(shape, "shape");
    return unlocked([&] { return open_raw(path, *raw, dims, offset); });
  }
  if (!shape.is_none() || offset != 0)
    throw ArgumentError("shape and offset describe raw files: give a dtype too, or leave them out for .npy");
  std::string warning;
  const Array array = unlocked([&] { return open(path, strict, &warning); });
  if (!warning.empty() && PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 2) != 0) throw nb::python_error();
  return array;
}

using Objects = std::span<PyObject* const>;

std::vector<Array> arrays_of(Objects objects) {
  std::vector<Array> arrays;
  for (const nb::handle each : objects) {
    const Array* array = array_or_null(each);
    if (array == nullptr)
      throw DTypeError(cat("expected Penstock arrays; got ", repr_text(each), "; make one with asarray"));
    arrays.push_back(*array);
  }
  return arrays;
}

nb::object packed(Objects objects) {
  nb::object tuple = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(objects.size())));
  if (!tuple) throw nb::python_error();
  for (std::size_t i = 0; i < objects.size(); ++i)
    PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), Py_NewRef(objects[i]));
  return tuple;
}

/// Evaluates what a function that made it wants evaluated. Passing the interpreter's lock to another thread and back
/// takes longer than a brief evaluation.
void evaluate_settled(const Array& array) {
  if (!Py_IsInitialized() || PyGILState_Check() == 0) return evaluate({array});
  if (!evaluate_briefly(array)) unlocked([&] { evaluate({array}); });
}

/// A function of C's own calling convention: of small arrays the call is what takes the time.
PyObject* evaluate_objects(PyObject*, PyObject* const* arguments, Py_ssize_t n) {
  const Objects objects(arguments, static_cast<std::size_t>(n));
  const auto done = [](PyObject* each) {
    const Array* array = plain_array(each);
    return array != nullptr && array->evaluated();
  };
  return guarded([&] {
    if (!std::all_of(objects.begin(), objects.end(), done)) {
      const std::vector<Array> arrays = arrays_of(objects);
      if (arrays.size() != 1 || !evaluate_briefly(arrays[0])) {
        const run::Options how = options();
        unlocked([&] { evaluate(arrays, how); });
      }
    }
    return packed(objects).release().ptr();
  });
}

nb::tuple kept_arrays(const nb::args& arguments) {
  std::vector<PyObject*> objects;
  for (const nb::handle each : arguments) objects.push_back(each.ptr());
  const std::vector<Array> arrays = arrays_of(objects);
  const run::Options how = options();
  nb::list found;
  for (Array& each : unlocked([&] { return kept(arrays, how); })) found.append(object_of(std::move(each)));
  return nb::tuple(found);
}

PyMethodDef functions[] = {{"evaluate", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&evaluate_objects)),
                            METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

template <class T>
nb::list list_of(const std::vector<T>& items) {
  nb::list list;
  for (const T& each : items) list.append(each);
  return list;
}

nb::dict dict_of(const run::PlanReport::Pipeline& pipeline) {
  nb::dict d;
  d["work"] = pipeline.work;
  d["outputs"] = list_of(pipeline.outputs);
  d["sources"] = list_of(pipeline.sources);
  d["shape"] = tuple_of(pipeline.shape);
  d["program"] = pipeline.program;
  d["register_elements"] = pipeline.tile;
  return d;
}

nb::dict dict_of(const run::PlanReport& report) {
  nb::list passes;
  for (const run::PlanReport::Pass& pass : report.passes) {
    nb::list pipelines;
    for (const auto& pipeline : pass.pipelines) pipelines.append(dict_of(pipeline));
    nb::dict d;
    d["wave"] = pass.wave;
    d["pipelines"] = pipelines;
    d["units"] = pass.units;
    d["units_per_tile"] = pass.step;
    d["tile_bytes"] = pass.tile_bytes;
    d["tiles_in_flight"] = pass.depth;
    d["reads"] = list_of(pass.reads);
    passes.append(d);
  }
  nb::dict d;
  d["passes"] = passes;
  d["source_bytes"] = report.source_bytes;
  d["result_bytes"] = report.result_bytes;
  d["scratch_bytes"] = report.scratch_bytes;
  d["scratch_directory"] = report.scratch_directory;
  d["projected_bytes"] = report.projected_bytes;
  d["budget"] = report.budget;
  d["available"] = report.available;
  d["fits"] = report.fits;
  d["target"] = report.target;
  d["level"] = report.level;
  d["threads"] = report.threads;
  return d;
}

std::int64_t memory_budget(nb::handle value) {
  memory::Governor& governor = memory::Governor::instance();
  if (nb::isinstance<nb::str>(value)) {
    const auto text = nb::cast<std::string>(value);
    const MemoryFacts facts = memory_facts();
    governor.set_budget(parse_bytes(text, facts.usable() + governor.used()));
  } else if (!value.is_none()) {
    const std::int64_t bytes = dims_of(value, "memory_budget")[0];
    if (bytes <= 0) throw ArgumentError(cat("memory budget ", bytes, " is not positive"));
    governor.set_budget(bytes);
  }
  return governor.budget();
}

nb::dict stats() {
  nb::dict d;
  for (const auto& [name, value] : measure::counter_values()) d[name] = value;
  const memory::PoolStats pool = memory::pool_stats();
  d["pool_hits"] = pool.hits;
  d["pool_misses"] = pool.misses;
  const std::int64_t asked = pool.hits + pool.misses;
  d["pool_hit_rate"] = asked > 0 ? static_cast<double>(pool.hits) / static_cast<double>(asked) : 0.0;
  d["pool_idle_bytes"] = pool.idle_bytes;
  d["live_bytes"] = pool.live_bytes;
  d["numa_nodes"] = numa_nodes().size();
  d["budget"] = memory::Governor::instance().budget();
  d["budget_used"] = memory::Governor::instance().used();
  return d;
}

nb::dict config() {
  nb::dict d;
  d["version"] = version();
  d["machine"] = machine_text();
  d["target"] = simd::target_name(simd::target());
  nb::list targets;
  for (const simd::Target each : simd::targets()) targets.append(simd::target_name(each));
  d["targets"] = targets;
  nb::list features;
  for (const std::string_view each : simd::cpu_features()) features.append(std::string(each));
  d["cpu_features"] = features;
  d["level"] = level_name(get_level());
  d["threads"] = thread::count();
  d["cpus"] = usable_cpus();
  d["numa_nodes"] = numa_nodes().size();
  d["numa"] = numa_placement_name(numa_placement());
  d["cgroup_cpus"] = cgroup_cpus();
  d["l1d"] = caches().l1d;
  d["l2"] = caches().l2;
  d["l3"] = caches().l3;
  d["page_size"] = page_size();
  const MemoryFacts facts = memory_facts();
  d["memory_total"] = facts.total;
  d["memory_available"] = facts.available;
  const auto limit = [](std::int64_t bytes) { return bytes == INT64_MAX ? nb::none() : nb::object(nb::int_(bytes)); };
  d["cgroup_limit"] = limit(facts.cgroup_limit);
  d["cgroup_headroom"] = limit(facts.cgroup_headroom);
  d["budget"] = memory::Governor::instance().budget();
  nb::dict set;
  for (const EnvRow& row : env_rows()) {
    if (const char* value = std::getenv(row.name)) set[row.name] = value;
  }
  d["environment"] = set;
  return d;
}

void bind_knobs(nb::module_& m) {
  m.def("memory_budget", &memory_budget, nb::arg("value").none() = nb::none(), doc_of("memory_budget").c_str(),
        nb::sig("def memory_budget(value: int | str | None = None) -> int"));
  m.def(
      "threads",
      [](nb::handle n) {
        if (const std::optional<std::int64_t> count = optional_whole(n, "n")) {
          thread::set_count(*count);
        }
        return thread::count();
      },
      nb::arg("n").none() = nb::none(), doc_of("threads").c_str(), nb::sig("def threads(n: int | None = None) -> int"));
  m.def(
      "opt_level",
      [](std::optional<std::string> name) {
        if (name) set_level(level_from_name(*name));
        return level_name(get_level());
      },
      nb::arg("name").none() = nb::none(), doc_of("opt_level").c_str());
  m.def(
      "simd_target",
      [](std::optional<std::string> name) {
        if (name) simd::force_target(*name == "auto" ? std::nullopt : std::optional(simd::target_from_name(*name)));
        return simd::target_name(simd::target());
      },
      nb::arg("name").none() = nb::none(), doc_of("simd_target").c_str());
  m.def(
      "on_progress",
      [](nb::handle callback) {
        if (!callback.is_none() && PyCallable_Check(callback.ptr()) == 0) {
          throw DTypeError(cat("callback takes a function or None; got ", repr_text(callback)));
        }
        progress_callback() = nb::borrow<nb::object>(callback);
      },
      nb::arg("callback").none(), doc_of("on_progress").c_str(),
      nb::sig("def on_progress(callback: Callable[[int, int, float, int], object] | None) -> None"));
  m.def(
      "trim", [] { return memory::trim_pool(); }, doc_of("trim").c_str());
  m.def("stats", &stats, doc_of("stats").c_str(), nb::sig("def stats() -> dict[str, int | float]"));
  m.def("config", &config, nb::sig("def config() -> dict[str, typing.Any]"));
  m.def(
      "environment_rows",
      [] {
        nb::list rows;
        for (const EnvRow& row : env_rows()) rows.append(nb::make_tuple(row.name, row.meaning));
        return rows;
      },
      nb::sig("def environment_rows() -> list[tuple[str, str]]"));
  m.def(
      "environment_warnings", [] { return list_of(env_warnings()); },
      nb::sig("def environment_warnings() -> list[str]"));
  m.def(
      "ceiling_rates",
      [](const std::string& name, std::int64_t bytes, int threads, double seconds, int samples) {
        return list_of(unlocked([&] { return run::ceiling_rates(name, bytes, threads, seconds, samples); }));
      },
      nb::arg("name"), nb::arg("bytes"), nb::arg("threads"), nb::arg("seconds"), nb::arg("samples"),
      "Bytes or operations a second that this machine reaches, one figure a sample: read, copy, add, triad, fma_f32, "
      "fma_f64,\npopcount, dot_int8.",
      nb::sig("def ceiling_rates(name: str, bytes: int, threads: int, seconds: float, samples: int) -> list[float]"));
  m.def(
      "stale_partials",
      [](const std::string& directory) { return list_of(unlocked([&] { return store::stale_partials(directory); })); },
      nb::arg("directory"), nb::sig("def stale_partials(directory: str) -> list[str]"));
}

}  // namespace

Array frozen(const Array& array) {
  const run::Options how = options();
  const graph::InMemory data = unlocked([&] { return array.data(how); });
  if (data.memory->owned_bytes() > 0) return array;
  measure::add(measure::Counter::k_bytes_copied, array.nbytes());
  return array_of(nb::module_::import_("numpy").attr("array")(nb::cast(array)));
}

run::Options options() {
  run::Options how;
  // The clock's own time: the seconds of a progress start again with each part of an evaluation.
  using Clock = std::chrono::steady_clock;
  how.poll = [next = Clock::time_point()](const run::Progress& progress) mutable {
    const Locked lock;
    if (!lock) throw Cancelled("the interpreter is ending");
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    const nb::object callback = progress_callback();
    const Clock::time_point now = Clock::now();
    if (callback.is_none() || now < next) return;
    next = now + kProgressInterval;
    callback(progress.done, progress.total, progress.seconds, progress.memory);
  };
  return how;
}

void bind_engine(nb::module_& m) {
  set_settler(&evaluate_settled);
  m.def("open", &open_file, nb::arg("path"), nb::arg("dtype").none() = nb::none(), nb::arg("shape").none() = nb::none(),
        nb::arg("offset").none() = 0, nb::arg("strict").none() = false,
        nb::sig("def open(path: str, dtype: AnyDType | None = None, shape: Ints | None = None, offset: int = 0, "
                "strict: builtins.bool = False) -> Array"));
  m.def("asarray", &as_array, nb::arg("obj").none(), nb::arg("dtype").none() = nb::none(), nb::kw_only(),
        nb::arg("copy").none() = nb::none(),
        nb::sig(
            "def asarray(obj: object, dtype: AnyDType | None = None, *, copy: builtins.bool | None = None) -> Array"));
  m.def(
      "store", [](const Array& array, nb::handle out) { return finish(array, out); }, nb::arg("array"),
      nb::arg("out").none(),
      "`out` with the array's elements: an array takes the value, a writable NumPy array the elements. Both must have "
      "its shape and dtype.",
      nb::sig("def store(array: Array, out: Out) -> Out"));
  // CPython keeps the pointer.
  static const std::string evaluate_doc = cat("evaluate(*arrays)\n--\n\n", doc_of("evaluate"));
  functions[0].ml_doc = evaluate_doc.c_str();
  if (PyModule_AddFunctions(m.ptr(), functions) != 0) throw nb::python_error();
  m.def(
      "kept", &kept_arrays,
      "Arrays of the same elements that are to be read more than once: in memory where that leaves the better part of "
      "the budget free, else in scratch files.",
      nb::sig("def kept(*arrays: Array) -> tuple[Array, ...]"));
  m.def(
      "save",
      [](nb::handle object, const std::string& path, nb::handle overwrite) {
        const Array array = array_of(object);
        const bool replaces = flag_of(overwrite, "overwrite");
        const run::Options how = options();
        unlocked([&] { save(array, path, replaces, how); });
      },
      nb::arg("array").none(), nb::arg("path"), nb::arg("overwrite").none() = true,
      nb::sig("def save(array: object, path: str, overwrite: builtins.bool = True) -> None"));
  m.def(
      "explain",
      [](nb::handle objects, bool to_files, const std::string& path) {
        std::vector<Array> arrays;
        for (nb::handle each : nb::borrow<nb::object>(objects)) arrays.push_back(array_of(each));
        return dict_of(unlocked([&] { return plan(arrays, to_files, path); }));
      },
      nb::arg("arrays"), nb::arg("save") = false, nb::arg("path") = "",
      nb::sig("def explain(arrays: Iterable[object], save: builtins.bool = False, path: str = '') -> "
              "dict[str, typing.Any]"));
  bind_knobs(m);
}

}  // namespace penstock::bind
