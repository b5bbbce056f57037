#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// Where a store is. It travels as a path: that of an SQLite file, or the URI of a database on a
/// PostgreSQL server, which is a path for nobody but the functions here. They are asked by whoever
/// would look at the path itself.
///
///     postgresql://[USER@]HOST[:PORT]/DATABASE[?PARAMETER=VALUE&...]
///
/// is libpq's URI (sslmode, host=/folder/of/a/socket, options=-csearch_path%3Dschema ...) with one
/// parameter more, `files`: the folder for what belongs beside a store (adapters, checkpoints,
/// orders, logs), `results` otherwise. A password in it is refused: command lines and logs are read
/// by others. libpq takes it from PGPASSWORD, PGPASSFILE or ~/.pgpass.
namespace petlab::results {

/// Whether `store` is a URI, so that the store is on a server.
[[nodiscard]] bool is_on_server(const std::filesystem::path& store);

/// Throws Error(config) with one sentence where `store` is a URI that names no database, cannot be
/// read, or holds a password, which the sentence does not repeat.
void check_address(const std::filesystem::path& store);

/// Whether there is a store: the file exists, or the database has petlab's tables. Throws
/// Error(store) where a server cannot be asked.
[[nodiscard]] bool has_store(const std::filesystem::path& store);

/// The address seen from any folder: that of a file is absolute, and so is the folder of `files`.
[[nodiscard]] std::filesystem::path absolute_address(const std::filesystem::path& store);

/// Whether both lead to one store, whose file is there. Two URIs are compared as texts.
[[nodiscard]] bool is_same_store(const std::filesystem::path& a, const std::filesystem::path& b);

/// What names of files and folders beside a store begin with: the store's own file, or
/// FILES/DATABASE@HOST[-PORT]. BESIDE.adapters, BESIDE.checkpoints, BESIDE.jobs.
[[nodiscard]] std::filesystem::path beside_store(const std::filesystem::path& store);

/// The address for a message of one line. Never with a password, whatever stands in it.
[[nodiscard]] std::string shown_address(const std::filesystem::path& store);

/// `text` with the passwords of all URIs of PostgreSQL in it made unreadable: for the last place
/// that a message goes through, which may repeat what somebody typed.
[[nodiscard]] std::string without_passwords(std::string_view text);

/// The connection string for libpq: the URI without `files`.
[[nodiscard]] std::string server_uri(const std::filesystem::path& store);

/// The name of the database that a URI leads to.
[[nodiscard]] std::string database_of(const std::filesystem::path& store);

}  // namespace petlab::results
