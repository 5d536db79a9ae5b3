# SPDX-License-Identifier: MIT
# What to cut next: the commands of arver that change keys, on four disks; and how long each takes.
require_relative 'power_judge'

# A command of arver: who types it, whose access it is about, on which disks.
Run = Struct.new(:verb, :actor, :subject, :target, :disks, :cuts) do
  def words
    case verb
    when 'add-user', 'del-user' then "#{actor} --#{verb} #{subject} #{where}"
    when 'garbage-collect' then "#{actor} --#{verb}"
    else "#{actor} --#{verb} #{where}"
    end
  end

  def ssh?
    disks.any? { |disk| disk.transport == 'ssh' }
  end

  # Its effect on who has access.
  def finished
    disks.each do |disk|
      case verb
      when 'create' then disk.users = %w[alice]
      when 'add-user' then disk.users |= [subject]
      when 'del-user' then disk.users -= [subject]
      end
    end
  end

  private

  def where
    target == 'ALL' ? 'ALL' : disks.map(&:path).join(',')
  end
end

# Four disks, and what may be done with them next.
class Choice
  KINDS = %w[local ssh].product(%w[luks1 luks2]).freeze
  TARGETS = [[0], [1], [2], [3], [0, 1], [2, 3], [0, 1, 2, 3]].freeze
  VERBS = %w[create add-user refresh del-user garbage-collect].freeze

  attr_reader :disks

  def initialize(random)
    @random = random
    @disks = KINDS.each_with_index.map { |(transport, luks), i| Disk.new(i, transport, luks, 0, []) }
  end

  def self.name(numbers)
    case numbers.size
    when 0 then '-'
    when 1 then KINDS[numbers[0]].join(' ')
    when 2 then KINDS[numbers[0]][0]
    else 'ALL'
    end
  end

  def self.columns
    TARGETS.map { |numbers| name(numbers) } + ['-']
  end

  def make(verb, numbers, actor = 'alice')
    subject = verb.end_with?('-user') ? 'bob' : actor
    Run.new(verb, actor, subject, Choice.name(numbers), @disks.values_at(*numbers), 0)
  end

  # What has been cut least often, where there is a choice.
  def next(counts)
    all = VERBS.flat_map { |verb| possible(verb) }
    verb = least(all.map(&:verb).uniq) { |v| counts.sum { |(counted, _), n| counted == v ? n : 0 } }
    all = all.select { |run| run.verb == verb }
    target = least(all.map(&:target).uniq) { |t| counts[[verb, t]] }
    all.select { |run| run.target == target }.sample(random: @random)
  end

  private

  def least(names)
    names.shuffle(random: @random).min_by { |name| yield(name) + @random.rand(1.5) }
  end

  def possible(verb)
    return %w[alice bob].select { |who| holds_files?(who) }.map { |who| make(verb, [], who) } if
      verb == 'garbage-collect'

    TARGETS.flat_map do |numbers|
      users = @disks.values_at(*numbers).map(&:users)
      actors(verb, users).map { |who| make(verb, numbers, who) }
    end
  end

  def holds_files?(who)
    @disks.any? { |disk| disk.users.include?(who) }
  end

  def actors(verb, users)
    with_bob = users.count { |names| names.include?('bob') }
    case verb
    when 'create' then %w[alice]
    when 'add-user' then with_bob.zero? ? %w[alice] : []
    when 'del-user' then with_bob.positive? ? %w[alice] : []
    else with_bob == users.size ? %w[alice bob] : %w[alice]
    end
  end
end

# How long a command takes here, in all and from its first write to a disk: rather a short time of the
# last ones, since what is cut behind its end tells little.
class Times
  SHORTEST = 0.02

  def initialize
    @taken = Hash.new { |taken, kind| taken[kind] = [] }
  end

  def learn(run, taken)
    @taken[kind(run)].push(taken).shift([0, @taken[kind(run)].size - 5].max)
  end

  # which: 0 in all, 1 from the first write
  def of(run, which)
    known = @taken[kind(run)]
    known = guesses(kind(run)) if known.empty?
    [known.map { |taken| taken[which] }.sort[known.size / 3], SHORTEST].max
  end

  private

  # From the same command on other disks or, before any such, from other commands.
  def guesses(kind)
    all = @taken.reject { |_, known| known.empty? }
    same = all.select { |(verb, *), _| verb == kind[0] }
    (same.empty? ? all : same).flat_map do |other, known|
      known.map { |taken| taken.map { |seconds| seconds * weight(kind) / weight(other) } }
    end
  end

  def weight(kind)
    (kind[1] ? 1.0 : 0.3) * (kind[2] ? 1.0 : 0.5)
  end

  def kind(run)
    [run.verb, run.ssh?, run.disks.size > 1]
  end
end
