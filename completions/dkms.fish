# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of dkms for fish. It reads the trees. What it offers depends on the action, the module and the trees that
# the line names before the cursor. A name that a shell would have to quote is not offered.

function __dkms_is_plain --argument-names name
    string match -qr '^[[:alnum:]_][[:alnum:]._+:@~-]*\z' -- $name
end

# --- The line

function __dkms_take --argument-names option value
    switch $option
        case -m --module
            set -l parts (string split -m 1 / -- $value)
            set __dkms_module $parts[1]
            set -q parts[2] && set __dkms_version $parts[2]
        case -v
            set __dkms_version $value
        case --dkmstree
            set __dkms_tree (string replace -r '^~/' ~/ -- $value)
        case --sourcetree
            set __dkms_source_tree (string replace -r '^~/' ~/ -- $value)
        case --installtree
            set __dkms_install_tree (string replace -r '^~/' ~/ -- $value)
    end
end

# Finds the action, the module and the trees.
function __dkms_parse
    set -g __dkms_action
    set -g __dkms_module
    set -g __dkms_version
    set -g __dkms_tree /var/lib/dkms
    set -g __dkms_source_tree /usr/src
    set -g __dkms_install_tree /usr/lib/modules
    set -l valued -m --module -v -k --kernelver -a --arch --templatekernel -j -c --directive --config \
        --kernelsourcedir --archive --dkmstree --sourcetree --installtree
    set -l actions add build unbuild install uninstall remove status autoinstall match mktarball ldtarball \
        generate_mok kernel_preinst kernel_postinst kernel_prerm
    set -l asked
    for word in (commandline -opc)[2..]
        if set -q asked[1]
            __dkms_take $asked $word
            set asked
        else if string match -q -- '--*=*' $word
            __dkms_take (string split -m 1 = -- $word)
        else if contains -- $word $valued
            set asked $word
        else if string match -q -- '-*' $word
            continue
        else if contains -- $word $actions
            set __dkms_action $word
        else if test -z "$__dkms_module"
            __dkms_take -m $word
        end
    end
end

# Is the action one of these, or still open?
function __dkms_does
    __dkms_parse
    test -z "$__dkms_action" || contains -- $__dkms_action $argv
end

function __dkms_does_not
    __dkms_parse
    not contains -- "$__dkms_action" $argv
end

function __dkms_wants_action
    __dkms_parse
    test -z "$__dkms_action"
end

# Is it the module of one of these actions that is to come?
function __dkms_wants_module
    __dkms_parse
    test -z "$__dkms_module" && contains -- "$__dkms_action" $argv
end

# Has the value at the cursor a slash?
function __dkms_goes_on
    commandline -ct | string replace -r '^--[^=]*=' '' | string match -q '*/*'
end

# --- The trees

# Prints the modules that are registered, or only those that are `sound`, as NAME/VERSION.
function __dkms_registered --argument-names kind
    for directory in $__dkms_tree/*/*/
        set -l id (string split -r -m 3 / -- $directory)[2..3]
        set directory $__dkms_tree/$id[1]/$id[2]
        test ! -L $directory && __dkms_is_plain $id[1] && __dkms_is_plain $id[2] || continue
        # A module whose source is gone is there to be removed, and good for nothing else.
        test -d $directory/source/ -o -d $__dkms_source_tree/$id[1]-$id[2]
        or test "$kind" != sound -a -L $directory/source
        and string join / -- $id
    end
end

# Prints the builds, or only those that are `installed`, as NAME/VERSION/KERNEL/ARCH.
function __dkms_built --argument-names kind
    for id in (__dkms_registered)
        set -l name (string split / -- $id)[1]
        for module in $__dkms_tree/$id/*/*/module/
            set -l kernel (string split -r -m 4 / -- $module)[2..3]
            string match -qr '^[0-9]' -- $kernel[1] && __dkms_is_plain $kernel[1] && __dkms_is_plain $kernel[2]
            or continue
            test "$kind" != installed
            or test $__dkms_tree/$name/kernel-$kernel[1]-$kernel[2] -ef $__dkms_tree/$id/$kernel[1]/$kernel[2]
            and string join / -- $id $kernel
        end
    end
end

# Prints the modules that have a source, as NAME/VERSION. Only dkms.conf knows where in the name of its directory the
# version begins.
function __dkms_sources
    for conf in $__dkms_source_tree/*/dkms.conf
        test -f $conf -a -r $conf || continue
        set -l directory (string split -r -m 2 / -- $conf)[2]
        set -l name (string match -rg '^\s*(?:export\s+)?PACKAGE_NAME=["\']?([^"\'\s;]+)["\']?(?:[\s;]|$)' < $conf)[1]
        __dkms_is_plain "$name" || continue
        set -l rest (string replace -- $name- '' $directory)
        test $directory = $name-$rest && __dkms_is_plain $rest && echo $name/$rest
    end
end

# --- What is offered

# Prints the modules that the action may be meant for, as NAME/VERSION.
function __dkms_modules
    __dkms_parse
    switch "$__dkms_action"
        case status remove
            __dkms_registered
        case mktarball
            __dkms_registered sound
        case unbuild
            __dkms_built | string replace -r '/[^/]*/[^/]*$' ''
        case uninstall match
            __dkms_built installed | string replace -r '/[^/]*/[^/]*$' ''
        case '*'
            set -l registered (__dkms_registered)
            for id in (__dkms_sources)
                contains -- $id $registered || echo $id
            end
            test "$__dkms_action" = add || __dkms_registered sound
    end
end

function __dkms_names
    if __dkms_goes_on
        __dkms_modules
    else
        __dkms_modules | string replace -r '/.*' ''
    end
end

function __dkms_versions
    __dkms_modules | string replace -rf '^'(string escape --style=regex -- "$__dkms_module")'/' ''
end

# Prints the kernels, or with a slash the kernels and architectures, of the builds that are piped in.
function __dkms_kernels_of
    while read -l build
        set -l parts (string split / -- $build)
        test -z "$__dkms_module" -o "$__dkms_module" = $parts[1] || continue
        test -z "$__dkms_version" -o "$__dkms_version" = $parts[2] || continue
        __dkms_goes_on && echo $parts[3]/$parts[4] || echo $parts[3]
    end
end

function __dkms_kernels
    __dkms_parse
    switch "$__dkms_action"
        case uninstall
            __dkms_built installed | __dkms_kernels_of
        case unbuild remove mktarball status
            __dkms_built | __dkms_kernels_of
        case '*'
            for directory in $__dkms_install_tree/*/
                set -l kernel (string split -r -m 2 / -- $directory)[2]
                test -e $directory/modules.order -o -e $directory/kernel && __dkms_is_plain $kernel || continue
                __dkms_goes_on && echo $kernel/(uname -m) || echo $kernel
            end
    end
end

function __dkms_template_kernels
    __dkms_parse
    __dkms_built installed | __dkms_kernels_of
end

function __dkms_architectures
    __dkms_parse
    uname -m
    __dkms_built | string replace -r '.*/' ''
end

# Prints the files that may be there to add, and the directories on the way to them.
function __dkms_paths
    complete -C "__dkms_no_such_command "(commandline -ct) |
        string match -r '.*(?:/|dkms\.conf|\.tar|\.tar\.\w+|\.t(?:gz|bz2|xz))$'
end

complete -c dkms -f

# --- Actions and operands

complete -c dkms -n __dkms_wants_action -a add -d 'Register a module'
complete -c dkms -n __dkms_wants_action -a build -d 'Build it for a kernel'
complete -c dkms -n __dkms_wants_action -a install -d 'Put it into the module directory of a kernel'
complete -c dkms -n __dkms_wants_action -a uninstall -d 'Take it out of the module directory of a kernel'
complete -c dkms -n __dkms_wants_action -a unbuild -d 'Uninstall it and forget what was built'
complete -c dkms -n __dkms_wants_action -a remove -d 'Unbuild it and forget the module'
complete -c dkms -n __dkms_wants_action -a status -d 'List the modules and their kernels'
complete -c dkms -n __dkms_wants_action -a autoinstall -d 'Install the newest version of each module that wants it'
complete -c dkms -n __dkms_wants_action -a match -d 'Install for a kernel what another one has'
complete -c dkms -n __dkms_wants_action -a mktarball -d 'Write a module to a tarball'
complete -c dkms -n __dkms_wants_action -a ldtarball -d 'Register the module of a tarball'
complete -c dkms -n __dkms_wants_action -a generate_mok -d 'Make the key and the certificate for signing'
complete -c dkms -n __dkms_wants_action -a kernel_preinst -d 'Forget what was built for a kernel installed anew'
complete -c dkms -n __dkms_wants_action -a kernel_postinst -d 'The same as autoinstall'
complete -c dkms -n __dkms_wants_action -a kernel_prerm -d 'Forget what was built for a kernel that goes'

complete -c dkms -n '__dkms_wants_module add build unbuild install uninstall remove status mktarball' \
    -a '(__dkms_modules)'
complete -c dkms -n '__dkms_wants_module match' -a '(__dkms_names)'
complete -c dkms -n '__dkms_wants_module add' -a '(__dkms_paths)'
complete -c dkms -n '__dkms_wants_module ldtarball' -F

# --- Options

set -l module '__dkms_does add build unbuild install uninstall remove status match mktarball'
complete -c dkms -n $module -s m -l module -x -a '(__dkms_names)' -d Module
complete -c dkms -n $module -s v -x -a '(__dkms_versions)' -d 'Version of the module'
set -l kernel '__dkms_does_not add ldtarball generate_mok'
complete -c dkms -n $kernel -s k -l kernelver -x -a '(__dkms_kernels)' -d Kernel
complete -c dkms -n $kernel -s a -l arch -x -a '(__dkms_architectures)' -d 'Architecture of the kernel'
complete -c dkms -n '__dkms_does build unbuild install uninstall remove mktarball' -l all -d 'Every kernel'
complete -c dkms -n '__dkms_does status' -l json -d 'For programs'
complete -c dkms -n '__dkms_does_not status' -l dry-run -d 'Say what would be done'
complete -c dkms -n '__dkms_does match' -l templatekernel -x -a '(__dkms_template_kernels)' -d 'Kernel to go by'
complete -c dkms -n '__dkms_does add build install mktarball' -s c -r -F -d "In the place of the module's dkms.conf"
complete -c dkms -n '__dkms_does add mktarball ldtarball' -l archive -r -F -d Tarball
complete -c dkms -n '__dkms_does mktarball' -l source-only -d 'Without what was built'
complete -c dkms -n '__dkms_does mktarball' -l binaries-only -d 'Without the source'
complete -c dkms -n '__dkms_does add install remove' -l rpm_safe_upgrade -d 'A package is being upgraded'
complete -c dkms -n '__dkms_does add ldtarball build install autoinstall match kernel_postinst' -l force \
    -d 'Do it again, or in spite of what speaks against it'
complete -c dkms -n '__dkms_does add build install autoinstall match kernel_postinst' -l directive -x \
    -d 'NAME=VALUE, stronger than any dkms.conf'
set -l build '__dkms_does build install autoinstall match kernel_postinst'
complete -c dkms -n $build -s j -x -d 'Jobs at once; 0: no limit'
complete -c dkms -n $build -l config -r -F -d "The kernel's configuration, if elsewhere"
complete -c dkms -n $build -l kernelsourcedir -x -a '(__fish_complete_directories)' \
    -d "The kernel's headers, if elsewhere"
set -l install '__dkms_does install autoinstall match kernel_postinst'
complete -c dkms -n $install -l force-version-override -d 'Though the kernel has a newer one'
complete -c dkms -n $install -l symlink-modules -d 'Install links, not copies'
complete -c dkms -n $install -l modprobe-on-install -d 'Load what was installed for the running kernel'
complete -c dkms -l no-depmod -d 'Leave modules.dep to the caller' \
    -n '__dkms_does unbuild install uninstall remove autoinstall match kernel_preinst kernel_postinst kernel_prerm'
complete -c dkms -l dkmstree -x -a '(__fish_complete_directories)' -d 'In the place of /var/lib/dkms'
complete -c dkms -l sourcetree -x -a '(__fish_complete_directories)' -d 'In the place of /usr/src'
complete -c dkms -l installtree -x -a '(__fish_complete_directories)' -d 'In the place of /usr/lib/modules'
complete -c dkms -s q -l quiet -d 'Say nothing'
complete -c dkms -l verbose -d 'Say which programs are run'
complete -c dkms -l debug -d 'Say which programs are run'
complete -c dkms -s V -l version -d 'Print the version'
complete -c dkms -s h -l help -d 'Print actions and options'
