// SPDX-License-Identifier: GPL-2.0-or-later
//
// Headers only, no `link "archive"`: libarchive is opened when an archive is, so that no program needs it to
// start. Swift cannot name the type of a C function, so each function that is looked up has its pointer type
// here, taken from the installed declaration.

#ifndef ALPM_DKMS_ARCHIVE_SHIM_H
#define ALPM_DKMS_ARCHIVE_SHIM_H

// archive.h includes this header for the name of a type alone. Swift has the type from Glibc; a second one would
// take its place in every target that sees both.
#define _SYS_STAT_H 1
struct stat;

#include <archive.h>
#include <archive_entry.h>

typedef __typeof__(&archive_errno) alpm_dkms_archive_errno_fn;
typedef __typeof__(&archive_error_string) alpm_dkms_archive_error_string_fn;
typedef __typeof__(&archive_read_new) alpm_dkms_archive_read_new_fn;
typedef __typeof__(&archive_read_free) alpm_dkms_archive_read_free_fn;
typedef __typeof__(&archive_read_open_fd) alpm_dkms_archive_read_open_fd_fn;
typedef __typeof__(&archive_read_next_header) alpm_dkms_archive_read_next_header_fn;
typedef __typeof__(&archive_read_data) alpm_dkms_archive_read_data_fn;
typedef __typeof__(&archive_read_support_filter_by_code) alpm_dkms_archive_read_support_filter_by_code_fn;
typedef __typeof__(&archive_read_support_format_tar) alpm_dkms_archive_read_support_format_tar_fn;
typedef __typeof__(&archive_read_support_format_cpio) alpm_dkms_archive_read_support_format_cpio_fn;
typedef __typeof__(&archive_read_support_format_raw) alpm_dkms_archive_read_support_format_raw_fn;
typedef __typeof__(&archive_read_open) alpm_dkms_archive_read_open_fn;
typedef __typeof__(&archive_filter_code) alpm_dkms_archive_filter_code_fn;
typedef __typeof__(&archive_filter_bytes) alpm_dkms_archive_filter_bytes_fn;
typedef __typeof__(&archive_write_new) alpm_dkms_archive_write_new_fn;
typedef __typeof__(&archive_write_free) alpm_dkms_archive_write_free_fn;
typedef __typeof__(&archive_write_close) alpm_dkms_archive_write_close_fn;
typedef __typeof__(&archive_write_open_fd) alpm_dkms_archive_write_open_fd_fn;
typedef __typeof__(&archive_write_set_format_gnutar) alpm_dkms_archive_write_set_format_gnutar_fn;
typedef __typeof__(&archive_write_add_filter_by_name) alpm_dkms_archive_write_add_filter_by_name_fn;
typedef __typeof__(&archive_write_set_filter_option) alpm_dkms_archive_write_set_filter_option_fn;
typedef __typeof__(&archive_write_header) alpm_dkms_archive_write_header_fn;
typedef __typeof__(&archive_write_data) alpm_dkms_archive_write_data_fn;
typedef __typeof__(&archive_entry_new) alpm_dkms_archive_entry_new_fn;
typedef __typeof__(&archive_entry_free) alpm_dkms_archive_entry_free_fn;
typedef __typeof__(&archive_entry_filetype) alpm_dkms_archive_entry_filetype_fn;
typedef __typeof__(&archive_entry_perm) alpm_dkms_archive_entry_perm_fn;
typedef __typeof__(&archive_entry_size) alpm_dkms_archive_entry_size_fn;
typedef __typeof__(&archive_entry_mtime) alpm_dkms_archive_entry_mtime_fn;
typedef __typeof__(&archive_entry_pathname) alpm_dkms_archive_entry_pathname_fn;
typedef __typeof__(&archive_entry_pathname_utf8) alpm_dkms_archive_entry_pathname_utf8_fn;
typedef __typeof__(&archive_entry_symlink) alpm_dkms_archive_entry_symlink_fn;
typedef __typeof__(&archive_entry_symlink_utf8) alpm_dkms_archive_entry_symlink_utf8_fn;
typedef __typeof__(&archive_entry_hardlink) alpm_dkms_archive_entry_hardlink_fn;
typedef __typeof__(&archive_entry_hardlink_utf8) alpm_dkms_archive_entry_hardlink_utf8_fn;
typedef __typeof__(&archive_entry_set_pathname) alpm_dkms_archive_entry_set_pathname_fn;
typedef __typeof__(&archive_entry_set_filetype) alpm_dkms_archive_entry_set_filetype_fn;
typedef __typeof__(&archive_entry_set_perm) alpm_dkms_archive_entry_set_perm_fn;
typedef __typeof__(&archive_entry_set_size) alpm_dkms_archive_entry_set_size_fn;
typedef __typeof__(&archive_entry_set_mtime) alpm_dkms_archive_entry_set_mtime_fn;
typedef __typeof__(&archive_entry_set_symlink) alpm_dkms_archive_entry_set_symlink_fn;
typedef __typeof__(&archive_entry_set_hardlink) alpm_dkms_archive_entry_set_hardlink_fn;

#endif
