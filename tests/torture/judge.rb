# SPDX-License-Identifier: MIT
# The judge: who can open the disk, by what lies in the key store and in the header, and whether
# that is as it must be. It knows nothing of what arver says but its exit status.
require_relative 'header'
require_relative 'stored_keys'
require_relative 'world'

# Something is not as it must be.
class Wrong < StandardError; end

# Everything that counts, at one instant: all that is asked of the disk is asked now.
class Look
  attr_reader :held, :header

  def initialize(world, keys)
    @held = World::SLOTS.keys.to_h do |admin|
      [admin, StoredKeys.new(File.join(keys, admin), world.gnupg(admin))]
    end
    @header = Header.read(world.image)
    @opened = World::SLOTS.keys.to_h do |admin|
      [admin, keys(admin).uniq.to_h { |key| [key, @header ? @header.opened_by(key) : []] }]
    end
  end

  # The numbers of the slots that this admin's keys open.
  def opened(admin)
    @opened[admin].values.flatten.uniq.sort
  end

  def access?(admin)
    opened(admin).any?
  end

  # Would Ruby Arver open the disk?
  def ruby_access?(admin)
    @opened[admin].fetch(@held[admin].chosen(World::PATH_OF_DISK), []).any?
  end

  def promoted_access?(admin)
    keys(admin, &:positive?).any? { |key| @opened[admin][key].any? }
  end

  def numbers
    @header ? @header.numbers : []
  end

  def keys(admin)
    all = @held[admin].for_disk(World::PATH_OF_DISK)
    all = all.select { |key| yield key.time } if block_given?
    all.map(&:text)
  end
end

# What must be the case after a cut, and in the end.
class Judge
  LIKE_A_KEY = %r{[A-Za-z0-9+/]{100}}

  def initialize(world)
    @world = world
    @opened = {}
  end

  def look(keys = @world.data('keys'))
    Look.new(@world, keys)
  end

  # After any run, cut or not. loser: who may lose access, if anybody.
  def judge(before, now, loser: nil)
    readable(now)
    no_slot_without_key(before, now)
    World::SLOTS.each_key do |admin|
      next if admin == loser

      wrong "#{admin} is locked out" if before.access?(admin) && !now.access?(admin)
      ruby_reads_on(before, now, admin)
    end
    now
  end

  # What exit status 0 promises.
  def promise(kase, now)
    if kase.takes_away
      wrong "exit 0, but #{kase.subject} still opens it" if now.access?(kase.subject)
    elsif !now.access?(kase.subject)
      wrong "exit 0, but #{kase.subject} cannot open it"
    end
  end

  # Slots of others are as they were, to the byte.
  def others_untouched(before, now, *subjects)
    return unless before.header

    own = subjects.flat_map { |admin| [World::SLOTS.fetch(admin), *before.opened(admin)] }
    before.header.slots.except(*own).each do |number, slot|
      is = now.header&.slots&.fetch(number, nil)
      wrong "slot #{number} has changed" unless is && [is.salt, is.area] == [slot.salt, slot.area]
    end
  end

  # No key where none may be.
  def no_secret_in(run, *looks)
    keys = looks.flat_map { |look| World::SLOTS.keys.flat_map { |admin| look.keys(admin) } }.uniq
    texts = @world.texts.merge('its output' => run.out, 'its errors' => run.err)
    texts.each do |name, text|
      text = text.b
      wrong "#{name} has what looks like a key" if LIKE_A_KEY.match?(text)
      wrong "#{name} holds a key" if keys.any? { |key| text.include?(key[0, 24]) }
    end
  end

  # Each of these slots opens with its owner's keys, and there is no other; nothing is left to do.
  def clean(now, slots)
    wrong "slots are #{now.numbers}, not #{slots}" unless now.numbers == slots
    World::SLOTS.each do |admin, slot|
      next unless slots.include?(slot)

      wrong "#{admin} opens #{now.opened(admin)}, not #{slot}" unless now.opened(admin) == [slot]
      wrong "Ruby Arver would not open it for #{admin}" unless now.ruby_access?(admin)
    end
    World::SLOTS.each_key do |admin|
      notes = @world.journal(admin)
      wrong "the journal of #{admin} has notes: #{notes.join('; ')}" unless notes.empty?
    end
  end

  # Does verify tell each admin the truth? It may write, so the caller gives it a copy.
  def verify_is_true(now)
    World::SLOTS.each_key do |admin|
      run = @world.run(admin, %w[--verify colo])
      next if run.status.zero? == now.access?(admin)

      wrong "verify exits #{run.status} for #{admin}, who #{now.access?(admin) ? 'can' : 'cannot'} open"
    end
  end

  def wrong(what)
    raise Wrong, what
  end

  private

  def readable(now)
    now.held.each do |admin, held|
      held.unreadable.each { |name, why| wrong "keys/#{admin}/#{name} cannot be read: #{why}" }
    end
  end

  # A slot that was filled opens with a key of its owner's: only one that did open may be half wiped.
  def no_slot_without_key(before, now)
    World::SLOTS.each do |admin, number|
      [before, now].each do |look|
        slot = look.header&.slots&.fetch(number, nil) or next
        name = [look.header.uuid, slot.salt]
        @opened[name] = true if look == before || look.opened(admin).include?(number)
        wrong "slot #{number} opens with no key that #{admin} has" unless @opened[name]
      end
    end
  end

  # The key that Ruby Arver would choose opens, if it did, or if a promoted one does.
  def ruby_reads_on(before, now, admin)
    return unless now.access?(admin)
    return if now.ruby_access?(admin)

    wrong "Ruby Arver opened it for #{admin}, and would not now" if before.ruby_access?(admin)
    wrong "Ruby Arver does not choose the key of #{admin} that opens" if now.promoted_access?(admin)
  end
end
