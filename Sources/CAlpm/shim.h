// SPDX-License-Identifier: GPL-2.0-or-later
//
// Headers only, no `link "alpm"`: libalpm is opened at run time, because a program that is linked to one
// soname of it would not start in the transaction that installs the next one. Swift cannot name the type of a
// C function, so each function that is looked up has its pointer type here, taken from the installed
// declaration.

#ifndef ALPM_DKMS_SHIM_H
#define ALPM_DKMS_SHIM_H

#include <alpm.h>

typedef __typeof__(&alpm_initialize) alpm_dkms_initialize_fn;
typedef __typeof__(&alpm_release) alpm_dkms_release_fn;
typedef __typeof__(&alpm_errno) alpm_dkms_errno_fn;
typedef __typeof__(&alpm_strerror) alpm_dkms_strerror_fn;
typedef __typeof__(&alpm_get_localdb) alpm_dkms_get_localdb_fn;
typedef __typeof__(&alpm_db_get_valid) alpm_dkms_db_get_valid_fn;
typedef __typeof__(&alpm_db_get_pkg) alpm_dkms_db_get_pkg_fn;
typedef __typeof__(&alpm_db_get_pkgcache) alpm_dkms_db_get_pkgcache_fn;
typedef __typeof__(&alpm_pkg_get_name) alpm_dkms_pkg_get_name_fn;
typedef __typeof__(&alpm_pkg_get_version) alpm_dkms_pkg_get_version_fn;
typedef __typeof__(&alpm_pkg_get_builddate) alpm_dkms_pkg_get_builddate_fn;
typedef __typeof__(&alpm_pkg_get_installdate) alpm_dkms_pkg_get_installdate_fn;
typedef __typeof__(&alpm_pkg_get_files) alpm_dkms_pkg_get_files_fn;
typedef __typeof__(&alpm_register_syncdb) alpm_dkms_register_syncdb_fn;
typedef __typeof__(&alpm_pkg_vercmp) alpm_dkms_pkg_vercmp_fn;
typedef __typeof__(&alpm_filelist_contains) alpm_dkms_filelist_contains_fn;

#endif
