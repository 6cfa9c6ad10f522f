// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

/// Adds `demo` and the two hidden commands that its child processes run. When one of them is chosen it runs inside the
/// parsing and leaves its status in `exit_code`, which has to live as long as `app`: 0 when every circuit opened and
/// recovered, 1 when not, 130 after Ctrl-C.
void add_demo_command(CLI::App& app, int& exit_code);
