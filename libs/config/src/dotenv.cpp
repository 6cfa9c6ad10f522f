// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/dotenv.hpp"

#include "switchgear/config/text_file.hpp"

#include <optional>
#include <utility>

namespace switchgear::inline v1 {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_character(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

class dotenv_reader {
 public:
  dotenv_reader(std::string_view text, std::string_view file_name) : rest_(text) { out_.file.file_name = file_name; }

  dotenv_result read() {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    while (!rest_.empty()) read_line();
    return std::move(out_);
  }

 private:
  void read_line() {
    started_ = line_;
    skip_blanks();
    if (at_line_end() || rest_.front() == '#') return next_line();
    std::string_view name = take_name();
    if (name == "export" && !rest_.empty() && is_blank(rest_.front())) {
      skip_blanks();
      name = take_name();
    }
    skip_blanks();
    if (name.empty()) return refuse("expected a name (letters, digits and _) and =");
    if (rest_.empty() || rest_.front() != '=') return refuse("expected = after the name");
    rest_.remove_prefix(1);
    skip_blanks();
    std::optional<std::string> value;
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) {
      value = take_quoted(rest_.front());
      if (!value) return;
    } else {
      value = take_plain();
    }
    out_.file.entries.push_back({std::string(name), std::move(*value), started_});
    next_line();
  }

  std::string_view take_name() {
    std::size_t n = 0;
    while (n < rest_.size() && is_name_character(rest_[n]) && (n > 0 || is_letter(rest_[n]))) ++n;
    const std::string_view name = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return name;
  }

  std::string take_plain() {
    std::string_view value = rest_.substr(0, rest_.find('\n'));
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '#' && (i == 0 || is_blank(value[i - 1]))) {
        value = value.substr(0, i);
        break;
      }
    }
    while (!value.empty() && (is_blank(value.back()) || value.back() == '\r')) value.remove_suffix(1);
    return std::string(value);
  }

  /// The text between the quotes, or nothing once the problem is reported and the line left.
  std::optional<std::string> take_quoted(char quote) {
    const std::string_view line = rest_;  // where to go on when the quote never ends
    rest_.remove_prefix(1);
    std::string value;
    while (!rest_.empty() && rest_.front() != quote) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\n') ++line_;
      if (c == '\\' && quote == '"' && !rest_.empty()) {
        constexpr std::string_view escapes = "nrt\"\\$";
        constexpr std::string_view meanings = "\n\r\t\"\\$";
        const std::size_t which = escapes.find(rest_.front());
        if (which != std::string_view::npos) {
          c = meanings[which];
          rest_.remove_prefix(1);
        }
      }
      value += c;
    }
    if (rest_.empty()) {
      rest_ = line;
      line_ = started_;
      refuse(quote == '"' ? "the value starts with \" and never ends" : "the value starts with ' and never ends");
      return std::nullopt;
    }
    rest_.remove_prefix(1);
    const bool blank_follows = !rest_.empty() && is_blank(rest_.front());
    skip_blanks();
    const bool comment = blank_follows && !rest_.empty() && rest_.front() == '#';
    if (!at_line_end() && !comment) {
      refuse("something follows the closing quote");
      return std::nullopt;
    }
    return value;
  }

  bool at_line_end() const {
    return rest_.empty() || rest_.front() == '\n' || rest_.starts_with("\r\n") || rest_ == "\r";
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  void next_line() {
    const std::size_t end = rest_.find('\n');
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    ++line_;
  }

  void refuse(std::string_view why) {
    out_.problems.push_back({out_.file.file_name + ":" + std::to_string(started_), "", "", std::string(why)});
    next_line();
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::size_t started_ = 1;  ///< the line that the current entry begins on
  dotenv_result out_;
};

}  // namespace

dotenv_result parse_dotenv(std::string_view text, std::string_view file_name) {
  return dotenv_reader(text, file_name).read();
}

dotenv_result load_dotenv(const std::string& path, missing_file missing) {
  text_file file = read_text_file(path);
  if (file.text) return parse_dotenv(*file.text, path);
  dotenv_result out;
  out.file.file_name = path;
  if (!file.missing || missing == missing_file::is_a_problem) out.problems.push_back(std::move(*file.error));
  return out;
}

}  // namespace switchgear::inline v1
