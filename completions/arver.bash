# SPDX-License-Identifier: MIT
# bash completion for arver(1); see README.md.

# Actions and options as --help tells them: sets args[NAME] for -x and --long, "A B" or "", and
# verbs and options to the long names. An argument in brackets may be left out.
_arver_read_help()
{
	local line section=''

	while IFS= read -r line; do
		case $line in
		Actions:) section=verbs ;;
		Options:) section=options ;;
		esac
		[[ $line =~ ^\ \ (-([a-z]),)?\ +(--[a-z-]+)((\ \[?[A-Z]+\]?)*)\ \  ]] || continue
		args[${BASH_REMATCH[3]}]=${BASH_REMATCH[4]}
		[[ ${BASH_REMATCH[2]} ]] && args[-${BASH_REMATCH[2]}]=${BASH_REMATCH[4]}
		if [[ $section == verbs ]]; then
			verbs+=("${BASH_REMATCH[3]}")
			is_verb[${BASH_REMATCH[3]}]=1
			[[ ${BASH_REMATCH[2]} ]] && is_verb[-${BASH_REMATCH[2]}]=1
		else
			options+=("${BASH_REMATCH[3]}")
		fi
	done < <("$arver" --help 2>/dev/null </dev/null)
}

# An action or option without its value; VALUE is what was attached to it.
_arver_take_name() # NAME VALUE
{
	if [[ ${is_verb[$1]-} ]]; then
		verb=$1
		[[ $2 ]] && given=$((given + 1))
	elif [[ ${args[$1]-} && $2 ]]; then
		[[ ${args[$1]} == ' DIR' ]] && dir=$2
	else
		pending=${args[$1]-}
	fi
}

_arver_take_letters() # -xyz: flags, and perhaps one that takes the rest
{
	local i name

	for ((i = 1; i < ${#1}; i++)); do
		name=-${1:i:1}
		if [[ ${args[$name]-} ]]; then
			_arver_take_name "$name" "${1:i + 1}"
			return
		fi
		_arver_take_name "$name" ''
	done
}

# The words in front of the cursor: sets verb, given (how many of its arguments), pending (the
# argument that comes now, of an option), dir, ended.
_arver_read_words()
{
	local i word

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == = ]]; then # --long = VALUE are three words to bash
			continue
		elif [[ $pending ]]; then
			[[ $pending == ' DIR' ]] && dir=$word
			pending=''
		elif [[ ! $ended && $word == -- ]]; then
			ended=1
		elif [[ ! $ended && $word == --* ]]; then
			_arver_take_name "$word" ''
		elif [[ ! $ended && $word == -?* ]]; then
			_arver_take_letters "$word"
		else
			given=$((given + 1))
		fi
	done
}

_arver_plain() # WORD: as it is meant, without the usual quoting; never evaluated
{
	local word=${1#[\"\']}

	word=${word%[\"\']}
	word=${word//\\/}
	[[ $1 == \~/* ]] && word=$HOME/${word#\~/}
	printf %s "$word"
}

_arver_list() # ARGUMENT...: what the inventory says
{
	local place=()

	[[ $dir ]] && place=(-c "$(_arver_plain "$dir")")
	"$arver" "${place[@]}" "$@" --list-targets 2>/dev/null </dev/null
}

_arver_offer() # WORD...: those that begin with what was typed
{
	local word quoted

	for word; do
		[[ $word == "$cur"* ]] || continue
		printf -v quoted %q "$word"
		COMPREPLY+=("$quoted")
	done
}

_arver_offer_admins()
{
	local names

	mapfile -t names < <(_arver_list --json |
		sed -n 's/^{"event":"admin","admin":"\([^"\\]*\)".*/\1/p')
	_arver_offer "${names[@]}"
}

# Every tail of a path that means one thing only.
_arver_tails() # PATH...
{
	local path tail
	local -A n

	for path; do
		tail=$path
		while [[ $tail == */* ]]; do
			tail=${tail#*/}
			n[$tail]=$((${n[$tail]-0} + 1))
		done
	done
	for tail in "${!n[@]}"; do
		[[ ${n[$tail]} == 1 ]] && printf '%s\n' "$tail"
	done
}

_arver_offer_targets()
{
	local before='' paths tails

	mapfile -t paths < <(_arver_list)
	[[ $cur == *,* ]] && before=${cur%,*},
	if [[ ${cur#"$before"} == /* ]]; then
		_arver_offer "${paths[@]/#/$before/}"
		return
	fi
	_arver_offer "${paths[@]/#/$before}" "${before}ALL"
	if [[ ! ${COMPREPLY[*]} ]]; then
		mapfile -t tails < <(_arver_tails "${paths[@]}")
		_arver_offer "${tails[@]/#/$before}"
	fi
}

_arver_offer_directories()
{
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -d -- "$cur")
}

_arver()
{
	local arver=$1 cur=${COMP_WORDS[COMP_CWORD]} verb='' given=0 pending='' dir='' ended=''
	local verbs=() options=() arguments wanted
	local -A args=() is_verb=()

	COMPREPLY=()
	_arver_read_help
	_arver_read_words
	[[ $cur == = ]] && cur=''
	read -ra arguments <<<"${args[${verb:-none}]-}"
	if [[ $pending ]]; then
		wanted=${pending# }
	elif [[ $cur == -* && ! $ended ]] || [[ ! $verb ]]; then
		[[ $verb ]] || _arver_offer "${verbs[@]}"
		_arver_offer "${options[@]}"
		return
	else
		wanted=${arguments[given]-}
	fi
	[[ $wanted == DIR ]] || cur=$(_arver_plain "$cur")
	case $wanted in
	TARGET | TARGETS | '[TARGETS]') _arver_offer_targets ;;
	USER | NAME) _arver_offer_admins ;;
	PATH) [[ $cur ]] || cur=/; _arver_offer_targets ;;
	DIR) _arver_offer_directories ;;
	DURATION) _arver_offer 90s 5m 15m 1h ;;
	esac
} &&
	complete -F _arver arver
