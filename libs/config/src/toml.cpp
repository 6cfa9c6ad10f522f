// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/circuit_file.hpp"
#include "switchgear/config/keys.hpp"
#include "switchgear/config/text_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {
namespace {

/// The parser walks nested values and dotted keys by recursion, and destroys them the same way, so depth has to be
/// bounded before it sees the text. No circuit file comes near these.
constexpr int deepest_brackets = 16;
constexpr int longest_dotted_key = 32;

/// Finds the first line where brackets nest, or a key is dotted, too deeply; 0 when there is none. Follows strings and
/// comments as TOML does; where the text is not TOML the two may disagree, but there the parser stops.
class depth_scan {
 public:
  explicit depth_scan(std::string_view text) : rest_(text) {}

  std::size_t first_bad_line() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
        continue;
      }
      if (c == '\n') ++line_, dots_ = 0;
      if (c == '.') ++dots_;
      if (c == '[' || c == '{') ++depth_;
      if ((c == ']' || c == '}') && depth_ > 0) --depth_;
      if (depth_ > deepest_brackets || dots_ > longest_dotted_key) return line_;
      rest_.remove_prefix(1);
    }
    return 0;
  }

 private:
  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool multi_line = rest_.starts_with(three);
    rest_.remove_prefix(multi_line ? 3 : 1);
    while (!rest_.empty()) {
      if (multi_line ? rest_.starts_with(three) : rest_.front() == quote) {
        rest_.remove_prefix(multi_line ? 3 : 1);
        // """" ends with a quote that belongs to the text: up to two of them.
        while (multi_line && rest_.starts_with(quote)) rest_.remove_prefix(1);
        return;
      }
      if (rest_.front() == '\n') {
        if (!multi_line) return;
        ++line_;
      }
      if (rest_.front() == '\\' && quote == '"' && rest_.size() > 1 && rest_[1] != '\n') rest_.remove_prefix(1);
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  int depth_ = 0;
  int dots_ = 0;
};

raw_value raw_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::boolean:
      return raw_value::boolean(node.as_boolean()->get());
    case toml::node_type::integer:
      return raw_value::integer(node.as_integer()->get());
    case toml::node_type::floating_point:
      return raw_value::real(node.as_floating_point()->get());
    case toml::node_type::string:
      return raw_value::text(node.as_string()->get());
    case toml::node_type::array:
      return raw_value::other("a list");
    case toml::node_type::table:
      return raw_value::other("a table");
    case toml::node_type::date:
      return raw_value::other("a date");
    case toml::node_type::time:
      return raw_value::other("a time");
    default:
      return raw_value::other("a date and time");
  }
}

struct item {
  std::string key;
  const toml::node* node = nullptr;
  toml::source_position at;
};

/// The table's keys as they stand in the file, not in the order of the alphabet.
std::vector<item> in_file_order(const toml::table& table) {
  std::vector<item> items;
  for (auto&& [key, node] : table) items.push_back({std::string(key.str()), &node, key.source().begin});
  std::stable_sort(items.begin(), items.end(), [](const item& a, const item& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  return items;
}

class circuit_reader {
 public:
  explicit circuit_reader(std::string_view file_name) : file_name_(file_name) {}

  circuit_file_result read(const toml::table& document) {
    for (const item& top : in_file_order(document)) read_top(top);
    judge();
    return std::move(out_);
  }

 private:
  std::string where(const item& i) const { return file_name_ + ":" + std::to_string(i.at.line); }

  void refuse(const item& i, std::string message) {
    const raw_value raw = raw_of(*i.node);
    const bool show = raw.kind != raw_value::form::other;
    out_.problems.push_back({i.key, show ? raw.spelling : "", "", std::move(message) + ", in " + where(i)});
  }

  void read_top(const item& top) {
    constexpr std::array<std::string_view, 2> known{"defaults", "breaker"};
    const toml::table* table = top.node->as_table();
    if (top.key == "defaults") {
      if (table == nullptr) return refuse(top, "has to be a table, [defaults]");
      out_.file.defaults = read_table(top, *table);
    } else if (top.key == "breaker") {
      if (table == nullptr) return refuse(top, "has to hold tables, [breaker.\"name\"]");
      for (const item& breaker : in_file_order(*table)) read_breaker(breaker);
    } else if (find_key(top.key) || top.key == "preset") {
      refuse(top, "stands outside of every table; put it into [defaults] or [breaker.\"name\"]");
    } else {
      refuse(top, "unknown; the nearest table is [" + std::string(nearest(top.key, known)) + "]");
    }
  }

  void read_breaker(const item& breaker) {
    const toml::table* table = breaker.node->as_table();
    if (table == nullptr) return refuse(breaker, "has to be a table, [breaker.\"" + breaker.key + "\"]");
    if (auto bad = validate_name(breaker.key)) {
      bad->message += ", in " + where(breaker);
      out_.problems.push_back(std::move(*bad));
      return;
    }
    out_.file.breakers.push_back(read_table(breaker, *table));
    out_.file.breakers.back().pattern = breaker.key;
  }

  circuit_file::table read_table(const item& owner, const toml::table& table) {
    circuit_file::table out;
    out.origin = where(owner);
    config_patch keys;
    for (const item& i : in_file_order(table)) {
      if (i.key == "preset") {
        read_preset(i, out);
      } else if (i.node->is_table() && !find_key(i.key)) {
        // [breaker.a.b] is b inside of a, which nobody means.
        refuse(i,
               "unknown table; a name with dots is put in quotes, as in [breaker.\"" + owner.key + "." + i.key + "\"]");
      } else {
        keys.set(i.key, raw_of(*i.node), where(i));
      }
    }
    out.patches.push_back(std::move(keys));
    return out;
  }

  void read_preset(const item& i, circuit_file::table& out) {
    const auto* name = i.node->as_string();
    if (name == nullptr) return refuse(i, "has to be the name of a preset in quotes");
    patch_result preset = preset_patch(name->get(), where(i));
    std::move(preset.problems.begin(), preset.problems.end(), std::back_inserter(out_.problems));
    out.patches.push_back(std::move(preset.patch));
  }

  /// A value that is wrong in [defaults] would be wrong again in every table; it is told once. What goes wrong only
  /// together with a breaker's own table says so.
  void judge() {
    const std::vector<problem> common = apply_layers(out_.file.defaults.patches, config{}).problems;
    out_.problems.insert(out_.problems.end(), common.begin(), common.end());
    for (const circuit_file::table& breaker : out_.file.breakers) {
      std::vector<config_patch> layers = out_.file.defaults.patches;
      layers.insert(layers.end(), breaker.patches.begin(), breaker.patches.end());
      std::vector<problem> own = apply_layers(layers, config{}).problems;
      for (problem& p : own) {
        if (std::find(common.begin(), common.end(), p) != common.end()) continue;
        p.message += ", for [breaker.\"" + breaker.pattern + "\"]";
        out_.problems.push_back(std::move(p));
      }
    }
  }

  std::string file_name_;
  circuit_file_result out_;
};

}  // namespace

circuit_file_result parse_toml(std::string_view text, std::string_view file_name) {
  const auto refuse = [](std::string where, std::string why) {
    circuit_file_result out;
    out.problems.push_back({std::move(where), "", "", std::move(why)});
    return out;
  };
  const std::string file(file_name);
  if (text.size() > largest_config_file) return refuse(file, "larger than 1 MiB, so this is not a configuration");
  if (const std::size_t line = depth_scan(text).first_bad_line()) {
    return refuse(file + ":" + std::to_string(line), "nested too deeply for a circuit file");
  }
  try {
    return circuit_reader(file_name).read(toml::parse(text, file_name));
  } catch (const toml::parse_error& e) {
    const auto at = e.source().begin;
    return refuse(file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column), std::string(e.description()));
  }
}

circuit_file_result load_circuit_file(const std::string& path) {
  text_file file = read_text_file(path);
  if (file.text) return parse_toml(*file.text, path);
  circuit_file_result out;
  out.problems.push_back(std::move(*file.error));
  return out;
}

}  // namespace switchgear::inline v1
