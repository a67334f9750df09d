# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_sysreel_global_optspecs
    string join \n r/read= follow threads= late-names pid= self w/write= force C/rotate-size= G/rotate-seconds= W/keep= max-disk= on-rotate= sync= on-full= o/output= j/json p/print= q/quiet t time= color= l/line-buffered U/unbuffered u/user= container= pod= unit= tag= stop= c/limit= s/snaplen= no-latency ring= nice= max-cpu= no-ancestors snapshot no-snapshot switches signals faults env proc= d/explain fail-on-loss v/verbose h/help V/version
end

function __fish_sysreel_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_sysreel_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_sysreel_using_subcommand
    set -l cmd (__fish_sysreel_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c sysreel -n "__fish_sysreel_needs_command" -s r -l read -d 'Read events from a capture file (- for stdin) instead of the kernel' -r -F
complete -c sysreel -n "__fish_sysreel_needs_command" -l threads -d 'Threads that reread a capture [default: one for each CPU; one if it comes through a pipe]' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l pid -d 'Only these processes and what they start (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -s w -l write -d 'Write a capture file (- for stdout) instead of printing' -r -F
complete -c sysreel -n "__fish_sysreel_needs_command" -s C -l rotate-size -d 'Begin a new file before one is larger than this' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -s G -l rotate-seconds -d 'Begin a new file every so many seconds' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -s W -l keep -d 'Keep this many files; remove the oldest of this capture' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l max-disk -d 'Keep all files together below this size; remove the oldest of this capture' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l on-rotate -d 'Run a command with the name of each file that is complete' -r -f -a "(__fish_complete_command)"
complete -c sysreel -n "__fish_sysreel_needs_command" -l sync -d 'When files are forced to the disk' -r -f -a "none\t'when the kernel sees fit (the default)'
rotate\t'when one is complete'
block\t'after each block'"
complete -c sysreel -n "__fish_sysreel_needs_command" -l on-full -d 'What to do when the disk is full' -r -f -a "stop\t'end the capture (the default)'
drop-oldest\t'remove the oldest file of this capture and go on'"
complete -c sysreel -n "__fish_sysreel_needs_command" -s o -l output -d 'Print events to a file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_needs_command" -s p -l print -d 'Print in a form of your own, with %field for fields' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l time -d 'Time, by name' -r -f -a "clock\t''
none\t''
epoch\t''
delta\t''
date\t''"
complete -c sysreel -n "__fish_sysreel_needs_command" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c sysreel -n "__fish_sysreel_needs_command" -s u -l user -d 'Only calls of these users, by name or number (comma list, repeatable)' -r -f -a "(__fish_complete_users)"
complete -c sysreel -n "__fish_sysreel_needs_command" -l container -d 'Only what runs in these containers, by name or id (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l pod -d 'Only what runs in these pods (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l unit -d 'Only what runs in these units of systemd (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l tag -d 'A tag for this host, kept in the capture file (host.tag[KEY]; repeatable)' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l stop -d 'Stop at a limit: duration:60s, size:1G (of the files), events:1M; comma list' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -s c -l limit -d 'Stop after N events' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -s s -l snaplen -d 'Bytes to capture of each buffer [default: 80]' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l ring -d 'Memory for events on their way, all CPUs together' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l nice -d 'Take this much less of the CPU than others: nice(1)' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l max-cpu -d 'Take at most this much of one CPU, and lose events instead' -r
complete -c sysreel -n "__fish_sysreel_needs_command" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_needs_command" -l follow -d 'With -r: go on reading as the file grows'
complete -c sysreel -n "__fish_sysreel_needs_command" -l late-names -d 'With -r: containers have the names that were known at the capture\'s end'
complete -c sysreel -n "__fish_sysreel_needs_command" -l self -d 'Include sysreel itself and whoever reads its output'
complete -c sysreel -n "__fish_sysreel_needs_command" -l force -d 'Let -w replace an existing file'
complete -c sysreel -n "__fish_sysreel_needs_command" -s j -l json -d 'Print one JSON object a line'
complete -c sysreel -n "__fish_sysreel_needs_command" -s q -l quiet -d 'Print no events, only the totals'
complete -c sysreel -n "__fish_sysreel_needs_command" -s t -d 'Time: -t none, -tt epoch, -ttt since last line, -tttt date'
complete -c sysreel -n "__fish_sysreel_needs_command" -s l -l line-buffered -d 'Pass on each line at once, also into a pipe'
complete -c sysreel -n "__fish_sysreel_needs_command" -s U -l unbuffered -d 'Pass on each event at once, also into a capture file'
complete -c sysreel -n "__fish_sysreel_needs_command" -l no-latency -d 'Do not measure how long calls take'
complete -c sysreel -n "__fish_sysreel_needs_command" -l no-ancestors -d 'Know nothing of processes that are not traced themselves'
complete -c sysreel -n "__fish_sysreel_needs_command" -l snapshot -d 'Put into each file of -w which processes there are and what they have open, filter or not'
complete -c sysreel -n "__fish_sysreel_needs_command" -l no-snapshot -d 'Leave that out'
complete -c sysreel -n "__fish_sysreel_needs_command" -l switches -d 'Show where CPUs turn from one thread to another: events `switch`'
complete -c sysreel -n "__fish_sysreel_needs_command" -l signals -d 'Show signals, and who sent them: events `signal` and `signaldeliver`'
complete -c sysreel -n "__fish_sysreel_needs_command" -l faults -d 'Show where pages were missing: events `page_fault`'
complete -c sysreel -n "__fish_sysreel_needs_command" -l env -d 'Keep the environment of processes (proc.env, evt.arg.envp)'
complete -c sysreel -n "__fish_sysreel_needs_command" -s d -l explain -d 'Explain the filter, and exit'
complete -c sysreel -n "__fish_sysreel_needs_command" -l fail-on-loss -d 'Exit with status 3 if events were lost'
complete -c sysreel -n "__fish_sysreel_needs_command" -s v -l verbose -d 'Say more on stderr'
complete -c sysreel -n "__fish_sysreel_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_needs_command" -s V -l version -d 'Print version'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "run" -d 'Trace a command and every process it starts'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "stuck" -d 'Show the calls that have not returned'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "ps" -d 'List processes: those of now, or of a moment of a capture'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "lsof" -d 'List open descriptors, of now or of a moment of a capture'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "netstat" -d 'List sockets with their processes, of now or of a moment of a capture'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "info" -d 'Say what is in a capture file'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "cut" -d 'Make a smaller capture file of a part of one'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "merge" -d 'Join capture files in order of time'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "split" -d 'Divide a capture file into pieces that stand alone'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "verify" -d 'Check every bit of capture files'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "repair" -d 'Make a clean capture file of what is whole in one'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "export" -d 'Write the events of a capture file as JSON or CSV'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "containers" -d 'List containers: those that run here, or those in a capture file'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "fields" -d 'List the fields that filters and templates know'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "calls" -d 'List the system calls and their arguments'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "doctor" -d 'Check what this host allows, and name the remedy of what it does not'
complete -c sysreel -n "__fish_sysreel_needs_command" -a "completions" -d 'Print completions for a shell'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s w -l write -d 'Write a capture file (- for stdout) instead of printing' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s C -l rotate-size -d 'Begin a new file before one is larger than this' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s G -l rotate-seconds -d 'Begin a new file every so many seconds' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s W -l keep -d 'Keep this many files; remove the oldest of this capture' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l max-disk -d 'Keep all files together below this size; remove the oldest of this capture' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l on-rotate -d 'Run a command with the name of each file that is complete' -r -f -a "(__fish_complete_command)"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l sync -d 'When files are forced to the disk' -r -f -a "none\t'when the kernel sees fit (the default)'
rotate\t'when one is complete'
block\t'after each block'"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l on-full -d 'What to do when the disk is full' -r -f -a "stop\t'end the capture (the default)'
drop-oldest\t'remove the oldest file of this capture and go on'"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s o -l output -d 'Print events to a file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s p -l print -d 'Print in a form of your own, with %field for fields' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l time -d 'Time, by name' -r -f -a "clock\t''
none\t''
epoch\t''
delta\t''
date\t''"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s u -l user -d 'Only calls of these users, by name or number (comma list, repeatable)' -r -f -a "(__fish_complete_users)"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l container -d 'Only what runs in these containers, by name or id (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l pod -d 'Only what runs in these pods (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l unit -d 'Only what runs in these units of systemd (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l tag -d 'A tag for this host, kept in the capture file (host.tag[KEY]; repeatable)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l stop -d 'Stop at a limit: duration:60s, size:1G (of the files), events:1M; comma list' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s c -l limit -d 'Stop after N events' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s s -l snaplen -d 'Bytes to capture of each buffer [default: 80]' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l ring -d 'Memory for events on their way, all CPUs together' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l nice -d 'Take this much less of the CPU than others: nice(1)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l max-cpu -d 'Take at most this much of one CPU, and lose events instead' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l as -d 'Run the command as this user' -r -f -a "(__fish_complete_users)"
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l force -d 'Let -w replace an existing file'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s j -l json -d 'Print one JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s q -l quiet -d 'Print no events, only the totals'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s t -d 'Time: -t none, -tt epoch, -ttt since last line, -tttt date'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s l -l line-buffered -d 'Pass on each line at once, also into a pipe'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s U -l unbuffered -d 'Pass on each event at once, also into a capture file'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l no-latency -d 'Do not measure how long calls take'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l no-ancestors -d 'Know nothing of processes that are not traced themselves'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l snapshot -d 'Put into each file of -w which processes there are and what they have open, filter or not'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l no-snapshot -d 'Leave that out'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l switches -d 'Show where CPUs turn from one thread to another: events `switch`'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l signals -d 'Show signals, and who sent them: events `signal` and `signaldeliver`'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l faults -d 'Show where pages were missing: events `page_fault`'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l env -d 'Keep the environment of processes (proc.env, evt.arg.envp)'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s d -l explain -d 'Explain the filter, and exit'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -l fail-on-loss -d 'Exit with status 3 if events were lost'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s v -l verbose -d 'Say more on stderr'
complete -c sysreel -n "__fish_sysreel_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s p -l print -d 'Print in a form of your own, with %field for fields' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s o -l output -d 'Print to a file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -l time -d 'Time, by name' -r -f -a "clock\t''
none\t''
epoch\t''
delta\t''
date\t''"
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -l color -d 'Colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -l pid -d 'Only these processes and what they started (comma list, repeatable)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s u -l user -d 'Only calls of these users, by name or number (comma list, repeatable)' -r -f -a "(__fish_complete_users)"
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s c -l limit -d 'Stop after N calls: those that have lasted longest' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s j -l json -d 'Print one JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s t -d 'Time: -t none, -tt epoch, -ttt since last line, -tttt date'
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s d -l explain -d 'Explain the filter, and exit'
complete -c sysreel -n "__fish_sysreel_using_subcommand stuck" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -s r -l read -d 'List what there was in a capture (- for stdin; repeatable: the files of a rotation)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -l at -d 'With -r: as of this time [default: the end]' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -s p -l print -d 'Print in a form of your own, with %field for fields' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -l fields -d 'Print these fields, with commas between them' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -s j -l json -d 'Print one JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -l no-header -d 'Do not print the names of the columns first'
complete -c sysreel -n "__fish_sysreel_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -s r -l read -d 'List what there was in a capture (- for stdin; repeatable: the files of a rotation)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -l at -d 'With -r: as of this time [default: the end]' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -s p -l print -d 'Print in a form of your own, with %field for fields' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -l fields -d 'Print these fields, with commas between them' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -s j -l json -d 'Print one JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -l no-header -d 'Do not print the names of the columns first'
complete -c sysreel -n "__fish_sysreel_using_subcommand lsof" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -s r -l read -d 'List what there was in a capture (- for stdin; repeatable: the files of a rotation)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -l at -d 'With -r: as of this time [default: the end]' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -s p -l print -d 'Print in a form of your own, with %field for fields' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -l fields -d 'Print these fields, with commas between them' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -s j -l json -d 'Print one JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -l no-header -d 'Do not print the names of the columns first'
complete -c sysreel -n "__fish_sysreel_using_subcommand netstat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand info" -l top -d 'How many calls and processes to list' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand info" -s j -l json -d 'One JSON object'
complete -c sysreel -n "__fish_sysreel_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -s w -l write -d 'The new capture file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l from -d 'Only events from this time on' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l to -d 'Only events before this time' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l drop -d 'Leave something out of every event (comma list, repeatable)' -r -f -a "payload\t''
environment\t''
arguments\t''
strings\t''
paths\t''
files\t''
cwd\t''
users\t''
cgroup\t''
containers\t''
labels\t''"
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l key -d 'A file with a key, so that pseudonyms of several files agree' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l force -d 'Let -w overwrite an existing file'
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l no-ancestors -d 'Know nothing of processes that have no events in the new file'
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -l redact -d 'Replace payload by its length, and other values by pseudonyms'
complete -c sysreel -n "__fish_sysreel_using_subcommand cut" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand merge" -s w -l write -d 'The new capture file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand merge" -l force -d 'Let -w overwrite an existing file'
complete -c sysreel -n "__fish_sysreel_using_subcommand merge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand split" -s w -l write -d 'What the pieces are named after: NAME.reel makes NAME.000001.reel and so on' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand split" -l size -d 'Pieces of about this size (k, m or g may follow)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand split" -l duration -d 'Pieces of this time, counted from the start of the capture' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand split" -l events -d 'Pieces of this many events' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand split" -l force -d 'Let -w overwrite existing files'
complete -c sysreel -n "__fish_sysreel_using_subcommand split" -s h -l help -d 'Print help'
complete -c sysreel -n "__fish_sysreel_using_subcommand verify" -s q -l quiet -d 'Say nothing of files that are whole'
complete -c sysreel -n "__fish_sysreel_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand repair" -s w -l write -d 'The new capture file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand repair" -l force -d 'Let -w overwrite an existing file'
complete -c sysreel -n "__fish_sysreel_using_subcommand repair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -l fields -d 'Which fields (comma list; sysreel fields lists them)' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -l header -d 'The first line of CSV: types (name:type), names, or none' -r -f -a "types\t''
names\t''
none\t''"
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -s o -l output -d 'Write to a file (- for stdout)' -r -F
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -s j -l json -d 'JSON: one object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -l csv -d 'CSV'
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -l force -d 'Let -o overwrite an existing file'
complete -c sysreel -n "__fish_sysreel_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand containers" -l why -d 'Which sources were asked about one, by id or name, and what each said' -r
complete -c sysreel -n "__fish_sysreel_using_subcommand containers" -l proc -d 'Where the host\'s /proc is [default: /proc]' -r -f -a "(__fish_complete_directories)"
complete -c sysreel -n "__fish_sysreel_using_subcommand containers" -s j -l json -d 'One JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand containers" -s a -l all -d 'Those too that were made and not started, or have ended, as far as files of their runtimes tell'
complete -c sysreel -n "__fish_sysreel_using_subcommand containers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sysreel -n "__fish_sysreel_using_subcommand fields" -s j -l json -d 'One JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand fields" -s h -l help -d 'Print help'
complete -c sysreel -n "__fish_sysreel_using_subcommand calls" -s j -l json -d 'One JSON object a line'
complete -c sysreel -n "__fish_sysreel_using_subcommand calls" -s h -l help -d 'Print help'
complete -c sysreel -n "__fish_sysreel_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c sysreel -n "__fish_sysreel_using_subcommand completions" -s h -l help -d 'Print help'
