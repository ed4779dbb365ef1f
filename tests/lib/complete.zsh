# SPDX-License-Identifier: MIT
# zsh -f complete.zsh DIR LINE: the words that zsh offers for the end of LINE, with the functions in DIR.
# Completion only runs in an interactive shell: it gets a terminal of its own, and compadd tells what it is given.
zmodload zsh/zpty || exit 1
zpty shell zsh -f -i
say() { zpty -w shell "$1" }
say 'PS1=; stty -echo; unsetopt always_last_prompt'
say "fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
say 'compadd() {
	local -a words
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
	builtin compadd -O words "$@"
	print -r -- "=W $words W="
	builtin compadd "$@"
}'
say 'finished() { print "=END=" }; zle -N finished; bindkey "^X" finished; bindkey "^I" complete-word; print "=RE""ADY="'
zpty -r shell out '*=READY=*'
zpty -w -n shell "$2"$'\t\x18'
zpty -r shell out '*=END=*'
print -r -- "$out" | grep -o "=W [^=]* W=" | sed "s/^=W //; s/ W=$//" | tr " " "\n" | grep .
zpty -d shell
