// SPDX-License-Identifier: GPL-2.0-or-later

internal import CArchive
internal import Host
internal import SystemPackage

/// The functions of a loaded libarchive that are used here.
struct ArchiveLibrary {
  /// The sonames whose interface was compared with what is used here.
  static let verifiedSonames = ["libarchive.so.13"]

  let errno: alpm_dkms_archive_errno_fn
  let errorString: alpm_dkms_archive_error_string_fn
  let reader: Reader
  let writer: Writer
  let entry: Entry

  init(sonames: [String] = verifiedSonames) throws(DynamicLibrary.LoadFailure) {
    self = try DynamicLibrary.first(of: sonames) { library throws(DynamicLibrary.LoadFailure) in
      try ArchiveLibrary(library)
    }
  }

  private init(_ library: DynamicLibrary) throws(DynamicLibrary.LoadFailure) {
    errno = try library.function("archive_errno")
    errorString = try library.function("archive_error_string")
    reader = try Reader(library)
    writer = try Writer(library)
    entry = try Entry(library)
  }

  /// The functions that read archives.
  struct Reader {
    let new: alpm_dkms_archive_read_new_fn
    let free: alpm_dkms_archive_read_free_fn
    let supportFilter: alpm_dkms_archive_read_support_filter_by_code_fn
    let supportTar: alpm_dkms_archive_read_support_format_tar_fn
    let supportCpio: alpm_dkms_archive_read_support_format_cpio_fn
    let supportRaw: alpm_dkms_archive_read_support_format_raw_fn
    let open: alpm_dkms_archive_read_open_fd_fn
    let openSource: alpm_dkms_archive_read_open_fn
    let filterCode: alpm_dkms_archive_filter_code_fn
    let filterBytes: alpm_dkms_archive_filter_bytes_fn
    let nextHeader: alpm_dkms_archive_read_next_header_fn
    let data: alpm_dkms_archive_read_data_fn

    init(_ library: DynamicLibrary) throws(DynamicLibrary.LoadFailure) {
      new = try library.function("archive_read_new")
      free = try library.function("archive_read_free")
      supportFilter = try library.function("archive_read_support_filter_by_code")
      supportTar = try library.function("archive_read_support_format_tar")
      supportCpio = try library.function("archive_read_support_format_cpio")
      supportRaw = try library.function("archive_read_support_format_raw")
      open = try library.function("archive_read_open_fd")
      openSource = try library.function("archive_read_open")
      filterCode = try library.function("archive_filter_code")
      filterBytes = try library.function("archive_filter_bytes")
      nextHeader = try library.function("archive_read_next_header")
      data = try library.function("archive_read_data")
    }
  }

  /// The functions that write archives.
  struct Writer {
    let new: alpm_dkms_archive_write_new_fn
    let free: alpm_dkms_archive_write_free_fn
    let close: alpm_dkms_archive_write_close_fn
    let open: alpm_dkms_archive_write_open_fd_fn
    let setFormat: alpm_dkms_archive_write_set_format_gnutar_fn
    let addFilter: alpm_dkms_archive_write_add_filter_by_name_fn
    let setFilterOption: alpm_dkms_archive_write_set_filter_option_fn
    let header: alpm_dkms_archive_write_header_fn
    let data: alpm_dkms_archive_write_data_fn

    init(_ library: DynamicLibrary) throws(DynamicLibrary.LoadFailure) {
      new = try library.function("archive_write_new")
      free = try library.function("archive_write_free")
      close = try library.function("archive_write_close")
      open = try library.function("archive_write_open_fd")
      setFormat = try library.function("archive_write_set_format_gnutar")
      addFilter = try library.function("archive_write_add_filter_by_name")
      setFilterOption = try library.function("archive_write_set_filter_option")
      header = try library.function("archive_write_header")
      data = try library.function("archive_write_data")
    }
  }

  /// The functions that read and set the fields of an entry.
  struct Entry {
    let new: alpm_dkms_archive_entry_new_fn
    let free: alpm_dkms_archive_entry_free_fn
    let fileType: alpm_dkms_archive_entry_filetype_fn
    let permissions: alpm_dkms_archive_entry_perm_fn
    let size: alpm_dkms_archive_entry_size_fn
    let modificationTime: alpm_dkms_archive_entry_mtime_fn
    let path: [alpm_dkms_archive_entry_pathname_fn]
    let symlink: [alpm_dkms_archive_entry_symlink_fn]
    let hardlink: [alpm_dkms_archive_entry_hardlink_fn]
    let setPath: alpm_dkms_archive_entry_set_pathname_fn
    let setFileType: alpm_dkms_archive_entry_set_filetype_fn
    let setPermissions: alpm_dkms_archive_entry_set_perm_fn
    let setSize: alpm_dkms_archive_entry_set_size_fn
    let setModificationTime: alpm_dkms_archive_entry_set_mtime_fn
    let setSymlink: alpm_dkms_archive_entry_set_symlink_fn
    let setHardlink: alpm_dkms_archive_entry_set_hardlink_fn

    init(_ library: DynamicLibrary) throws(DynamicLibrary.LoadFailure) {
      new = try library.function("archive_entry_new")
      free = try library.function("archive_entry_free")
      fileType = try library.function("archive_entry_filetype")
      permissions = try library.function("archive_entry_perm")
      size = try library.function("archive_entry_size")
      modificationTime = try library.function("archive_entry_mtime")
      // Which of the two knows a name depends on the format: pax has UTF-8, all others have bytes.
      path = [
        try library.function("archive_entry_pathname"), try library.function("archive_entry_pathname_utf8"),
      ]
      symlink = [
        try library.function("archive_entry_symlink"), try library.function("archive_entry_symlink_utf8"),
      ]
      hardlink = [
        try library.function("archive_entry_hardlink"), try library.function("archive_entry_hardlink_utf8"),
      ]
      setPath = try library.function("archive_entry_set_pathname")
      setFileType = try library.function("archive_entry_set_filetype")
      setPermissions = try library.function("archive_entry_set_perm")
      setSize = try library.function("archive_entry_set_size")
      setModificationTime = try library.function("archive_entry_set_mtime")
      setSymlink = try library.function("archive_entry_set_symlink")
      setHardlink = try library.function("archive_entry_set_hardlink")
    }
  }
}

extension ArchiveLibrary {
  /// Loads the library for something that is to be done with an archive.
  init(for operation: ArchiveError.Operation, _ archive: FilePath) throws(ArchiveError) {
    do throws(DynamicLibrary.LoadFailure) {
      try self.init()
    } catch {
      throw ArchiveError(operation, archive, .noLibrary(error.description))
    }
  }

  /// What libarchive says went wrong last.
  func failure(of handle: OpaquePointer) -> ArchiveError.Reason {
    let message = errorString(handle).map { String(cString: $0) } ?? "it is damaged"
    return .library(.init(rawValue: errno(handle)), message: message)
  }
}
