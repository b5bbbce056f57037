#include "network_file_system.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace petlab::results {

bool is_network_file_system(std::uint32_t type) {
  static constexpr std::array<std::uint32_t, 20> kTypes = {
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB 2
      0x5346414F,  // AFS
      0x6B414653,  // AFS of the kernel
      0x73757245,  // Coda
      0x564C,      // NCP
      0x00C36400,  // Ceph
      0x0BD00BD0,  // Lustre
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0xAAD7AAEA,  // PanFS
      0x01161970,  // GFS2
      0x7461636F,  // OCFS2
      0x013111A8,  // IBRIX
      0x65735546,  // FUSE: sshfs, GlusterFS ...
      0x01021997,  // 9P: folders that a virtual machine shares with its host
      0x786F4256,  // VirtualBox, likewise
      0x20030528,  // OrangeFS
  };
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

bool is_on_network(const std::filesystem::path& file) {
  // The file's folder, or where it is to be made.
  std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  struct statfs found{};
  while (statfs(folder.c_str(), &found) != 0) {
    if (folder == folder.parent_path()) return false;
    folder = folder.parent_path();
  }
  return is_network_file_system(static_cast<std::uint32_t>(found.f_type));
}

}  // namespace petlab::results
