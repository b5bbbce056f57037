#pragma once

#include <filesystem>
#include <string>
#include <vector>

// What the names of shards say of those that are not there: a smaller data set is another one.
namespace petlab::datasets {

/// Throws base::Error(data) naming the file where it is a shard that cannot be read as it is: with
/// `ending` (".tar") and that of a compression (.tar.gz, .tgz) or of an unfinished download
/// (.tar.part) behind it.
void refuse_unread_shard(const std::filesystem::path& file, const std::string& ending);

/// Throws base::Error(data) naming a file that is missing beside `files`, the shards of a data set.
/// Files of one folder and prefix belong together:
/// - train-00000-of-00002, with anything behind: all of 0 to n-1 (or 1 to n), each once, of one n.
/// - train-000, numbers of one width that begin at 0 or 1: no gap. Numbers that begin elsewhere
///   (years, classes) are names. A last one that is missing cannot be seen.
void require_all_shards(const std::vector<std::filesystem::path>& files);

}  // namespace petlab::datasets
