// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace switchgear::inline v1 {

text_file read_text_file(const std::string& path) {
  const auto refuse = [&](const std::string& why, bool missing = false) {
    return text_file{std::nullopt, missing, problem{path, "", "", why}};
  };
  const auto reason = [](int code) { return "cannot be read: " + std::generic_category().message(code); };

  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return refuse(reason(errno), errno == ENOENT);
  std::string text(largest_config_file + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return refuse(reason(errno));  // a folder ends here
  if (text.size() > largest_config_file) return refuse("larger than 1 MiB, so this is not a configuration");
  return {std::move(text), false, std::nullopt};
}

}  // namespace switchgear::inline v1
