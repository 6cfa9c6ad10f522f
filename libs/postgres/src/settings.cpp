// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>

namespace switchgear::inline v1::postgres::detail {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;
using word_map = std::map<std::string, std::string>;

struct free_words {
  void operator()(PQconninfoOption* o) const noexcept { PQconninfoFree(o); }
};
using word_list = std::unique_ptr<PQconninfoOption, free_words>;

void take_up(word_map& words, const word_list& list) {
  if (!list) return;
  for (const PQconninfoOption* o = list.get(); o->keyword != nullptr; ++o) {
    if (o->val != nullptr && *o->val != '\0') words[o->keyword] = o->val;
  }
}

void check(std::vector<problem>& problems, const char* key, nanoseconds limit, bool may_be_zero) {
  if (limit > 24h || limit < 0ns || (limit == 0ns && !may_be_zero)) {
    problems.push_back({key, std::to_string(limit.count()) + "ns", may_be_zero ? "0 … 24h" : "more than 0, up to 24h",
                        "is out of range"});
  }
}

/// libpq ends the credentials of a URL at the first @, and the host at the first /. What comes behind those in a password
/// would be the host or the database then, and those are named in errors.
bool is_misread(std::string_view text) {
  const std::size_t slashes = text.starts_with("postgresql://") || text.starts_with("postgres://") ? text.find("//") : text.npos;
  if (slashes == text.npos) return false;
  text.remove_prefix(slashes + 2);
  const std::size_t end = std::min(text.find('/'), text.size());
  const std::string_view path = text.substr(end, text.find('?', end) - end);
  return std::ranges::count(text.substr(0, end), '@') > 1 || path.find('@') != path.npos;
}

std::string target_of(const word_map& words) {
  const auto say = [&](const char* key, const char* otherwise) {
    const auto found = words.find(key);
    return found == words.end() ? std::string(otherwise) : found->second;
  };
  const std::string host = say("host", say("hostaddr", "local").c_str());
  // Without a name the database is the one named like the user, and that is nobody else's business.
  return "postgres." + host + ":" + say("port", "5432") + "/" + say("dbname", "default");
}

}  // namespace

settings settings_of(const options& o) {
  std::vector<problem> problems;
  check(problems, "connect_timeout", o.connect_timeout, false);
  check(problems, "statement_timeout", o.statement_timeout, false);
  check(problems, "connection_wait", o.connection_wait, true);
  if (o.connections < 1 || o.connections > 10'000) {
    problems.push_back({"connections", std::to_string(o.connections), "1 … 10000", "is out of range"});
  }
  word_map words;
  {
    const word_list defaults(PQconndefaults());
    for (const PQconninfoOption* d = defaults.get(); d != nullptr && d->keyword != nullptr; ++d) {
      // Only what the environment says: libpq's own defaults are its own affair, and the user is named in no error.
      const std::string_view key = d->keyword;
      const bool is_address = key == "host" || key == "hostaddr" || key == "port";
      const bool is_options = key == "options";  // ours come behind them
      const bool is_database = key == "dbname" && d->envvar != nullptr && std::getenv(d->envvar) != nullptr;
      if ((is_address || is_options || is_database) && d->val != nullptr && *d->val != '\0') words[d->keyword] = d->val;
    }
  }
  if (!o.connection.empty()) {
    char* message = nullptr;
    const word_list parsed(PQconninfoParse(o.connection.c_str(), &message));
    PQfreemem(message);  // it quotes the string
    if (o.connection.find('\0') != std::string::npos) {
      problems.push_back({"connection", "(not shown)", "", "has a zero byte in it"});
    } else if (is_misread(o.connection)) {
      problems.push_back({"connection", "(not shown)", "", "an @ or / within user or password has to be written %40 or %2F"});
    } else if (!parsed) {
      problems.push_back({"connection", "", "postgresql://… or host=… dbname=…", "cannot be read as a connection string"});
    } else {
      take_up(words, parsed);
    }
  }
  const auto set = [&](const char* key, const std::string& text) {
    if (text.find('\0') != std::string::npos) problems.push_back({key, "", "", "has a zero byte in it"});
    if (!text.empty()) words[key] = text;
  };
  if (words.contains("port") && words["port"].find_first_not_of("0123456789,") != std::string::npos) {
    problems.push_back({"port", "(not shown)", "numbers", "is no port"});
  }
  set("host", o.host);
  if (!o.host.empty()) words.erase("hostaddr");
  set("port", o.port == 0 ? std::string() : std::to_string(o.port));
  set("dbname", o.database);
  set("user", o.user);
  set("password", o.password);
  if (!problems.empty()) throw config_error(std::move(problems));

  // Kerberos would be asked by calls that block as long as they like.
  words.try_emplace("gssencmode", "disable");
  words.try_emplace("client_encoding", "UTF8");
  if (o.limit_on_server) {
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(o.statement_timeout) + 1s;
    std::string& text = words["options"];
    text += (text.empty() ? "-c statement_timeout=" : " -c statement_timeout=") + std::to_string(limit.count());
  }
  settings s;
  s.target = target_of(words);
  if (const auto found = words.find("password"); found != words.end()) s.password = found->second;
  s.words.assign(words.begin(), words.end());
  return s;
}

}  // namespace switchgear::inline v1::postgres::detail
