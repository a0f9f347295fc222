// SPDX-License-Identifier: Apache-2.0
// The extension module penstock._core.

#include "bind.h"
#include "penstock/base/machine.h"
#include "slots.h"

NB_MODULE(_core, m) {
  using namespace penstock::bind;
  nanobind::set_leak_warnings(false);  // arrays alive at exit are the user's business
  m.attr("__version__") = penstock::version();
  bind_errors(m);
  bind_dtypes(m);
  bind_array(m);
  bind_functions(m);
  bind_products(m);
  bind_choose(m);
  bind_callback(m);
  bind_statistics(m);
  bind_windows(m);
  bind_engine(m);
  bind_measure(m);
  bind_tuning(m);
  watch_the_end(m);
  bind_signatures(m);
  shorten_calls(m);  // last: what they do not answer, the functions as they are by then do
}
