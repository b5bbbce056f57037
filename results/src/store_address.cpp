#include "petlab/results/store_address.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <libpq-fe.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <utility>
#include <vector>

namespace petlab::results {
namespace {

constexpr std::array kSchemes = {"postgresql://", "postgres://"};
constexpr const char* kFiles = "files";
constexpr const char* kForm =
    "expected postgresql://[USER@]HOST[:PORT]/DATABASE[?PARAMETER=VALUE&...]";

// What %XX stands for; a broken one stays as it is.
std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string digits = text[i] == '%' ? text.substr(i + 1, 2) : "";
    if (digits.size() == 2 && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos) {
      result += static_cast<char>(std::stoi(digits, nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string encoded(const std::string& text) {
  static constexpr const char* kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (std::string_view("%&?#= +").find(c) == std::string_view::npos) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += {'%', kDigits[byte / 16], kDigits[byte % 16]};
    }
  }
  return result;
}

// A URI in its parts: "postgresql://user@host/db", and its parameters as they stand.
struct Uri {
  std::string front;
  std::vector<std::pair<std::string, std::string>> parameters;

  explicit Uri(const std::string& text) : front(text.substr(0, text.find('?'))) {
    std::string rest = front.size() < text.size() ? text.substr(front.size() + 1) : "";
    while (!rest.empty()) {
      const auto end = rest.find('&');
      const std::string one = rest.substr(0, end);
      const auto equals = one.find('=');
      parameters.emplace_back(one.substr(0, equals),
                              equals == std::string::npos ? "" : one.substr(equals + 1));
      rest = end == std::string::npos ? "" : rest.substr(end + 1);
    }
  }

  [[nodiscard]] std::string text() const {
    std::string result = front;
    char separator = '?';
    for (const auto& [name, value] : parameters) {
      result.append(1, separator).append(name).append("=").append(value);
      separator = '&';
    }
    return result;
  }

  // "user:password@", wherever the @ stands: a password may hold what ends a host's name. Other
  // uses of @ are written as %40.
  [[nodiscard]] bool has_password() const {
    const std::string all = text();
    const auto at = all.rfind('@');
    if (at != std::string::npos && all.substr(0, at).find(':', all.find("//")) != std::string::npos)
      return true;
    for (const auto& [name, value] : parameters)
      if (decoded(name) == "password" || decoded(name) == "sslpassword") return true;
    return false;
  }

  // Removes the parameter `files` and returns it.
  std::optional<std::string> take_files() {
    std::optional<std::string> result;
    std::erase_if(parameters, [&](const auto& parameter) {
      if (decoded(parameter.first) != kFiles) return false;
      result = decoded(parameter.second);
      return true;
    });
    return result;
  }
};

[[noreturn]] void refuse(const std::filesystem::path& store, const std::string& sentence) {
  base::throw_config_error("results store '" + shown_address(store) + "': " + sentence);
}

// What libpq makes of the URI. The caller has looked for passwords: its messages repeat the text.
std::map<std::string, std::string> parsed(const std::filesystem::path& store) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(server_uri(store).c_str(), &message), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, PQfreemem);
  if (!options)
    refuse(store, "it is no address of a database: " +
                      base::message_line(message == nullptr ? "" : without_passwords(message)) +
                      "; " + kForm);
  std::map<std::string, std::string> values;
  for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one)
    if (one->val != nullptr) values[one->keyword] = one->val;
  return values;
}

std::string value_in(const std::map<std::string, std::string>& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

// A part of the name of a file.
std::string in_a_name(std::string text) {
  for (char& c : text)
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ') c = '_';
  return text;
}

}  // namespace

bool is_on_server(const std::filesystem::path& store) {
  for (const char* scheme : kSchemes)
    if (store.native().starts_with(scheme)) return true;
  return false;
}

void check_address(const std::filesystem::path& store) {
  if (!is_on_server(store)) return;
  // Nothing of it is repeated: a password may stand where nobody looks for one.
  if (Uri(store.native()).has_password())
    base::throw_config_error(
        "results store 'postgresql://...': there is a password in it, and others can read command "
        "lines and logs; expected it in PGPASSWORD or in ~/.pgpass");
  if (database_of(store).empty()) refuse(store, std::string("it names no database; ") + kForm);
}

std::filesystem::path absolute_address(const std::filesystem::path& store) {
  if (!is_on_server(store)) return std::filesystem::absolute(store);
  Uri uri(store.native());
  const std::filesystem::path files = uri.take_files().value_or("results");
  uri.parameters.emplace_back(kFiles, encoded(std::filesystem::absolute(files).string()));
  return uri.text();
}

bool is_same_store(const std::filesystem::path& a, const std::filesystem::path& b) {
  if (is_on_server(a) || is_on_server(b))
    return is_on_server(a) && is_on_server(b) && server_uri(a) == server_uri(b);
  std::error_code not_there;
  return std::filesystem::equivalent(a, b, not_there);
}

std::filesystem::path beside_store(const std::filesystem::path& store) {
  if (!is_on_server(store)) return store;
  check_address(store);
  const auto values = parsed(store);
  std::string host = value_in(values, "host");
  if (host.empty()) host = value_in(values, "hostaddr");
  if (host.empty() || host.starts_with('/')) host = "localhost";  // a socket of this host
  std::string name = value_in(values, "dbname") + "@" + host;
  if (const std::string port = value_in(values, "port"); !port.empty() && port != "5432")
    name += "-" + port;
  Uri uri(store.native());
  return std::filesystem::path(uri.take_files().value_or("results")) / in_a_name(name);
}

std::string shown_address(const std::filesystem::path& store) {
  return is_on_server(store) ? base::escaped(without_passwords(store.native()))
                             : base::printable(store);
}

std::string without_passwords(std::string_view text) {
  static const std::regex user(R"((postgres(?:ql)?://[^\s/@:'"]*):[^\s'"]*@)");
  static const std::regex parameter(R"(((?:ssl)?password=)[^\s&'"]+)");
  std::string result(text);
  if (result.find("postgres") == std::string::npos) return result;
  result = std::regex_replace(result, user, "$1:***@");
  return std::regex_replace(result, parameter, "$1***");
}

std::string server_uri(const std::filesystem::path& store) {
  Uri uri(store.native());
  (void)uri.take_files();
  return uri.text();
}

std::string database_of(const std::filesystem::path& store) {
  return value_in(parsed(store), "dbname");
}

}  // namespace petlab::results
