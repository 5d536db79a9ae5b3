# SPDX-License-Identifier: MIT
# One cut: from a saved state, a command is cut; the judge looks; the same command is run again; the
# judge looks whether all is done and clean.
require_relative 'cases'
require_relative 'judge'

# The cuts of one world.
class Trial
  SAMPLE = 10 # at every so manieth cut the admins are asked, too (verify)
  RUNS = 3

  # What became of one cut. result: passed, failed, or beyond (the command had fewer calls).
  Outcome = Struct.new(:kase, :at, :action, :result, :why, :call)

  def initialize(world)
    @world = world
    @judge = Judge.new(world)
    @lengths = {}
    @n = 0
  end

  # How many calls there are to cut, and how many key files each has in the end.
  def length(kase)
    @lengths[kase.name] ||= measure(kase)
  end

  # at: a number; for the side "twice" two of them, the second in the run that is to finish it.
  def cut(kase, at, action)
    length(kase)
    @n += 1
    first, @second = at
    before = begin_from(kase)
    run = run_cut(kase, first, action)
    outcome = Outcome.new(kase.name, Array(at).join(','), action, 'passed', nil, run.log[first - 1])
    return outcome.tap { outcome.result = 'beyond' } if run.cuts.zero?

    judge_run(kase, before, run)
    outcome
  rescue Wrong, RuntimeError => e
    outcome ||= Outcome.new(kase.name, Array(at).join(','), action)
    outcome.result = 'failed'
    outcome.why = [e.message, *@story].join("\n")
    outcome
  end

  private

  def measure(kase)
    before = begin_from(kase)
    run = run_cut(kase, 0, 'kill')
    raise Wrong, "uncut, it exits #{run.status}: #{run.err}" unless run.status.zero?

    now = judge_all(kase, before, run)
    @files ||= {}
    @files[kase.name] = now.held.transform_values { |held| held.files.size }
    @judge.clean(now, kase.slots)
    run.log
  end

  def begin_from(kase)
    @story = []
    @world.restore(Cases.make(@world, kase.state, kase.type))
    @world.transport(kase.transport, kase.type)
    @judge.look
  end

  def run_cut(kase, at, action)
    cut = { 'CUT_CALLS' => kase.calls, 'CUT_AT' => at.to_s, 'CUT_ACTION' => action }
    run(kase, kase.side == 'server' ? { server: cut } : { cut: cut })
  end

  def run(kase, how = {})
    run = @world.run(kase.actor, kase.words, **how)
    tell(run)
  end

  def tell(run)
    @story << "$ arver #{run.words.join(' ')}: exit #{run.status}" << run.out << run.err
    run
  end

  # What must be so after every run, however it ended.
  def judge_all(kase, before, run)
    now = @judge.look
    @judge.judge(before, now, loser: kase.takes_away ? kase.subject : nil)
    @judge.others_untouched(before, now, kase.subject)
    @judge.no_secret_in(run, before, now)
    @judge.promise(kase, now) if run.status.zero?
    now
  end

  def judge_run(kase, before, run)
    now = judge_all(kase, before, run)
    ask_admins(now) if (@n % SAMPLE).zero?
    return finished(kase, now, 0) if run.status.zero?

    finish(kase, before)
  end

  # Run it again; for the side "twice" cut once more, until it is done. Where arver asks
  # for --force, or for --violence over what is no header, it gets that.
  def finish(kase, before)
    words = kase.words
    (1..RUNS).each do |n|
      run = again(kase, words, n)
      now = judge_all(kase, before, run)
      next if run.status > 128
      more = asked_for(kase, run, now)
      next words = [more, *kase.words] if more
      return finished(kase, now, n) if run.status.zero? || done_already?(kase, run, now)

      raise Wrong, "run again, it exits #{run.status}"
    end
    raise Wrong, 'it does not come to its end'
  end

  def asked_for(kase, run, now)
    return '--force' if run.out.include?('--force makes a new key')

    '--violence' if kase.verb == 'create' && !now.header && run.err.include?('--violence overwrites')
  end

  def again(kase, words, n)
    cut = { 'CUT_CALLS' => kase.calls, 'CUT_AT' => @second.to_s, 'CUT_ACTION' => 'kill' }
    tell(@world.run(kase.actor, words, cut: @second && n == 1 ? cut : nil))
  end

  # Cut behind its last word: there is nothing left to do, and it says so.
  def done_already?(kase, run, now)
    return false unless run.status == 5 && kase.refused_when_done?

    @judge.clean(now, kase.slots)
    true
  rescue Wrong
    false
  end

  # runs: how many were made besides the first. Each that was forced may have left a file more.
  def finished(kase, now, runs)
    @judge.clean(now, kase.slots)
    more = @story.grep(/--force/).any? ? runs : 0
    now.held.each do |admin, held|
      want = @files[kase.name][admin]
      next if held.files.size.between?(want, want + (admin == kase.subject ? more : 0))

      raise Wrong, "#{admin} has #{held.files.size} key files, not #{want}"
    end
  end

  def ask_admins(now)
    @world.save('aside')
    @judge.verify_is_true(now)
    @world.restore('aside')
  end
end
