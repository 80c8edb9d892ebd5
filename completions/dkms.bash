# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of dkms for bash. It reads the trees and starts no program. What it offers depends on the action, the module
# and the trees that the line names before the cursor. A name that a shell would have to quote is not offered.

# >>> tables (make pages writes what stands here, from the tables of dkms)
_dkms_actions=(
 add build install uninstall unbuild remove status autoinstall match mktarball ldtarball generate_mok
  kernel_preinst kernel_postinst kernel_prerm
)
_dkms_valued=(
 -m --module -v -k --kernelver -a --arch --templatekernel -j -c --directive --config --kernelsourcedir
  --dkmstree --sourcetree --installtree --archive
)

# What the word beside the action, and the value of -k, may be.
_dkms_choose() {
  case $action in
    add) operand=source kernels=present ;;
    build | install) operand=available kernels=present ;;
    uninstall) operand=installed kernels=installed ;;
    unbuild) operand=built kernels=built ;;
    remove | status) operand=registered kernels=built ;;
    autoinstall | generate_mok | kernel_preinst | kernel_postinst | kernel_prerm) operand=nothing kernels=present ;;
    match) operand=installed_name kernels=present ;;
    mktarball) operand=sound kernels=built ;;
    ldtarball) operand=file kernels=present ;;
    *) operand=available kernels=present ;;
  esac
}

# Offers values of an option.
_dkms_offer_value() {
  case $1 in
    -m | --module) _dkms_offer_names ;;
    -v) _dkms_offer_versions ;;
    -k | --kernelver) _dkms_offer_kernels ;;
    -a | --arch) _dkms_offer_architectures ;;
    --templatekernel) _dkms_offer_template_kernels ;;
    -c) compopt -o default ;;
    --config) compopt -o default ;;
    --kernelsourcedir) compopt -o dirnames ;;
    --dkmstree) compopt -o dirnames ;;
    --sourcetree) compopt -o dirnames ;;
    --installtree) compopt -o dirnames ;;
    --archive) compopt -o default ;;
  esac
}

# Offers the options that fit the action.
_dkms_offer_options() {
  _dkms_does add build install uninstall unbuild remove status match mktarball && _dkms_offer -m --module -v
  _dkms_does build install uninstall unbuild remove status autoinstall match mktarball kernel_preinst \
      kernel_postinst kernel_prerm && _dkms_offer -k --kernelver -a --arch
  _dkms_does build install uninstall unbuild remove mktarball && _dkms_offer --all
  _dkms_does match && _dkms_offer --templatekernel
  _dkms_does add build install remove autoinstall match ldtarball kernel_postinst && _dkms_offer --force
  _dkms_does install autoinstall match kernel_postinst && _dkms_offer --force-version-override \
      --symlink-modules --modprobe-on-install
  _dkms_does add build install uninstall unbuild remove autoinstall match mktarball ldtarball generate_mok \
      kernel_preinst kernel_postinst kernel_prerm && _dkms_offer --dry-run
  _dkms_does build install autoinstall match kernel_postinst && _dkms_offer -j --config --kernelsourcedir
  _dkms_does add build install mktarball && _dkms_offer -c
  _dkms_does add build install autoinstall match kernel_postinst && _dkms_offer --directive
  _dkms_offer --dkmstree --sourcetree --installtree -q --quiet --verbose --debug -V --version -h --help
  _dkms_does add mktarball ldtarball && _dkms_offer --archive
  _dkms_does mktarball && _dkms_offer --source-only --binaries-only
  _dkms_does install uninstall unbuild remove autoinstall match kernel_preinst kernel_postinst kernel_prerm && \
      _dkms_offer --no-depmod
  _dkms_does add install remove && _dkms_offer --rpm_safe_upgrade
  _dkms_does status && _dkms_offer --json
  return 0
}
# <<<

# Is the first word one of the others?
_dkms_among() {
  local word
  for word in "${@:2}"; do [[ $word == "$1" ]] && return; done
  return 1
}

# Is the action one of these, or still open?
_dkms_does() {
  [[ ! $action ]] || _dkms_among "$action" "$@"
}

_dkms_is_plain() {
  [[ $1 == [[:alnum:]_]* && $1 != *[![:alnum:]._+:@~-]* ]]
}

# --- The line

# The words up to the cursor as dkms will see them: bash parts words at "=" and ":" too.
_dkms_split() {
  local rest=${COMP_LINE:0:COMP_POINT} next='' trimmed word i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    trimmed=${rest#"${rest%%[![:blank:]]*}"}
    word=${COMP_WORDS[i]}
    ((i < COMP_CWORD)) || word=$trimmed
    if ((i)) && [[ $trimmed == "$next" ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    rest=${trimmed#"$word"}
    next=$rest
  done
  words=("${words[@]//[\\\"\']/}")
}

_dkms_take() {
  case $1 in
    -m | --module)
      module=${2%%/*}
      [[ $2 != */* ]] || version=${2#*/}
      ;;
    -v) version=$2 ;;
    --dkmstree) dkms_tree=${2/#~\//$HOME/} ;;
    --sourcetree) source_tree=${2/#~\//$HOME/} ;;
    --installtree) install_tree=${2/#~\//$HOME/} ;;
  esac
}

# Finds the action, the module and the trees, and the option whose value is asked for.
_dkms_parse() {
  local word
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ $asked ]]; then
      _dkms_take "$asked" "$word"
      asked=''
    elif [[ $word == --*=* ]]; then
      _dkms_take "${word%%=*}" "${word#*=}"
    elif _dkms_among "$word" "${_dkms_valued[@]}"; then
      asked=$word
    elif [[ $word == -* ]]; then
      continue
    elif _dkms_among "$word" "${_dkms_actions[@]}"; then
      action=$word
    elif [[ ! $module ]]; then
      _dkms_take -m "$word"
    fi
  done
  current=${words[-1]}
  if [[ ! $asked && $current == --*=* ]]; then
    asked=${current%%=*}
    current=${current#*=}
  fi
}

# --- The trees

# Fills registered and sound (NAME/VERSION), built and installed (NAME/VERSION/KERNEL/ARCH).
_dkms_read_tree() {
  local path build id name version kernel arch
  for path in "$dkms_tree"/*/*/; do
    path=${path%/}
    id=${path#"$dkms_tree"/}
    name=${id%%/*} version=${id#*/}
    { [[ ! -L $path ]] && _dkms_is_plain "$name" && _dkms_is_plain "$version"; } || continue
    # A module whose source is gone can only be removed.
    if [[ -d $path/source/ || -d $source_tree/$name-$version ]]; then
      sound+=("$id")
    elif [[ ! -L $path/source ]]; then
      continue
    fi
    registered+=("$id")
    for build in "$path"/[0-9]*/*/module/; do
      build=${build%/module/}
      arch=${build##*/} kernel=${build%/*}
      kernel=${kernel##*/}
      { [[ -d $build/module ]] && _dkms_is_plain "$kernel" && _dkms_is_plain "$arch"; } || continue
      built+=("$id/$kernel/$arch")
      [[ $dkms_tree/$name/kernel-$kernel-$arch -ef $build ]] && installed+=("$id/$kernel/$arch")
    done
  done
}

# Fills sources (NAME/VERSION). Only dkms.conf knows where in the name of its directory the version begins.
_dkms_read_sources() {
  local conf line directory name version
  local name_line="^[[:blank:]]*(export[[:blank:]]+)?PACKAGE_NAME=[\"']?([^\"'[:space:];]+)[\"']?([[:space:];]|\$)"
  for conf in "$source_tree"/*/dkms.conf; do
    [[ -f $conf && -r $conf ]] || continue
    directory=${conf%/dkms.conf}
    directory=${directory##*/}
    while IFS= read -r line || [[ $line ]]; do
      [[ $line =~ $name_line ]] || continue
      name=${BASH_REMATCH[2]} version=${directory#"${BASH_REMATCH[2]}"-}
      [[ $directory == "$name-$version" ]] && _dkms_is_plain "$name" && _dkms_is_plain "$version" &&
        sources+=("$name/$version")
      break
    done < "$conf"
  done
}

# Fills modules (NAME/VERSION) with those that the action may be meant for.
_dkms_find_modules() {
  local -a registered sound built installed sources
  local id
  _dkms_read_tree
  case $operand in
    registered) modules=("${registered[@]}") ;;
    sound) modules=("${sound[@]}") ;;
    built) modules=("${built[@]%/*/*}") ;;
    installed | installed_name) modules=("${installed[@]%/*/*}") ;;
    *)
      _dkms_read_sources
      [[ $operand == source ]] || modules=("${sound[@]}")
      for id in "${sources[@]}"; do
        _dkms_among "$id" "${registered[@]}" || modules+=("$id")
      done
      ;;
  esac
}

# --- What is offered

# Offers the words that begin as the current one does, without what readline has already passed.
_dkms_offer() {
  local word passed=${current%"$typed"}
  for word; do
    [[ $word == "$current"* ]] && ! _dkms_among "${word#"$passed"}" "${COMPREPLY[@]}" &&
      COMPREPLY+=("${word#"$passed"}")
  done
}

_dkms_offer_modules() {
  local -a modules
  _dkms_find_modules
  _dkms_offer "${modules[@]}"
}

_dkms_offer_names() {
  local -a modules
  _dkms_find_modules
  if [[ $current == */* ]]; then
    _dkms_offer "${modules[@]}"
  else
    _dkms_offer "${modules[@]%%/*}"
  fi
}

_dkms_offer_versions() {
  local -a modules
  local id
  _dkms_find_modules
  for id in "${modules[@]}"; do
    [[ ${id%%/*} == "$module" ]] && _dkms_offer "${id#*/}"
  done
}

# Offers the kernels, or with a slash the kernels and architectures, of builds.
_dkms_offer_kernels_of() {
  local build
  for build; do
    [[ $build == "${module:-${build%%/*}}"/* ]] || continue
    build=${build#*/}
    [[ $build == "${version:-${build%%/*}}"/* ]] || continue
    build=${build#*/}
    [[ $current == */* ]] || build=${build%/*}
    _dkms_offer "$build"
  done
}

_dkms_offer_kernels() {
  local -a registered sound built installed
  local path kernel
  case $kernels in
    installed)
      _dkms_read_tree
      _dkms_offer_kernels_of "${installed[@]}"
      ;;
    built)
      _dkms_read_tree
      _dkms_offer_kernels_of "${built[@]}"
      ;;
    *)
      for path in "$install_tree"/*/; do
        kernel=${path#"$install_tree"/}
        kernel=${kernel%/}
        { [[ -e $path/modules.order || -e $path/kernel ]] && _dkms_is_plain "$kernel"; } || continue
        [[ $current != */* ]] || kernel+=/$HOSTTYPE
        _dkms_offer "$kernel"
      done
      ;;
  esac
}

_dkms_offer_template_kernels() {
  local -a registered sound built installed
  _dkms_read_tree
  _dkms_offer_kernels_of "${installed[@]}"
}

_dkms_offer_architectures() {
  local -a registered sound built installed
  _dkms_read_tree
  _dkms_offer "${built[@]##*/}" "$HOSTTYPE"
}

# Offers modules, tarballs and directories; only paths where no module begins so.
_dkms_offer_sources() {
  local path
  _dkms_offer_modules
  for path in *.tar *.tar.* *.tgz *.tbz2 *.txz; do
    [[ -f $path ]] && _dkms_is_plain "$path" && _dkms_offer "$path"
  done
  if ((${#COMPREPLY[@]})); then compopt -o plusdirs; else compopt -o default; fi
}

_dkms_offer_operands() {
  if [[ ! $action ]]; then
    _dkms_offer "${_dkms_actions[@]}"
  elif [[ ! $module ]]; then
    case $operand in
      nothing) ;;
      source) _dkms_offer_sources ;;
      file) compopt -o default ;;
      installed_name) _dkms_offer_names ;;
      *) _dkms_offer_modules ;;
    esac
  fi
}

_dkms() {
  local IFS=$' \t\n' typed=$2
  local dkms_tree=/var/lib/dkms source_tree=/usr/src install_tree=/usr/lib/modules
  local action='' module='' version='' asked='' current='' operand kernels
  local -a words
  COMPREPLY=()
  _dkms_split
  _dkms_parse
  _dkms_choose
  if [[ $asked ]]; then
    _dkms_offer_value "$asked"
  elif [[ $current == -* ]]; then
    _dkms_offer_options
  else
    _dkms_offer_operands
  fi
}

complete -F _dkms dkms
