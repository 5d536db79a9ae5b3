# SPDX-License-Identifier: MIT
# What survived a power cut, judged from outside the guest, without arver: key files and journals out
# of the file systems as a replay of their journals leaves them, keys through the Ruby reader, slots
# through cryptsetup.
require 'digest'
require 'fileutils'
require 'open3'
require_relative 'header'
require_relative 'stored_keys'

# What was found is not as it must be.
class Wrong < StandardError; end

# One disk under its present name. users: who has access, as far as finished commands go.
Disk = Struct.new(:number, :transport, :luks, :count, :users) do
  def name
    "#{transport}-#{luks}-#{count}"
  end

  def host
    transport == 'ssh' ? 'web1' : 'desk'
  end

  def path
    "/colo/#{host}/#{name}"
  end
end

# All that counts at one instant.
class PowerLook
  SLOTS = { 'alice' => 0, 'bob' => 1 }.freeze

  attr_reader :held, :headers, :notes, :areas

  # dir: a snapshot; homes: where the admins' homes are
  def initialize(dir, homes, disks)
    keys = unpack(dir, 'survivor', 'keys')
    state = unpack(dir, 'survivor-disks', '.')
    @held = SLOTS.keys.to_h do |admin|
      [admin, StoredKeys.new(File.join(keys, admin), File.join(homes, admin, '.gnupg'))]
    end
    @notes = SLOTS.keys.to_h { |admin| [admin, journal(File.join(state, admin))] }
    images = disks.to_h { |disk| [disk.number, File.join(dir, "disk#{disk.number}")] }
    @areas = images.transform_values { |image| Digest::SHA256.file(image).hexdigest }
    @headers = images.transform_values { |image| Header.read(image) }
    @opened = {}
  end

  def numbers(disk)
    @headers[disk.number]&.numbers || []
  end

  # The slots that this admin's keys open.
  def opened(admin, disk)
    @opened[[admin, disk.number]] ||= by(disk, @held[admin].for_disk(disk.path).map(&:text))
  end

  def access?(admin, disk)
    opened(admin, disk).any?
  end

  # Would a program that takes the newest key only open it?
  def ruby_access?(admin, disk)
    by(disk, [@held[admin].chosen(disk.path)].compact).any?
  end

  private

  def by(disk, keys)
    header = @headers[disk.number]
    header ? keys.flat_map { |key| header.opened_by(key) }.uniq.sort : []
  end

  # What a mount would find, without root: replay the file system's journal, then take the files out.
  def unpack(dir, image, what)
    image = File.join(dir, image)
    to = "#{image}.files"
    FileUtils.mkdir_p(to)
    said, status = Open3.capture2e('e2fsck', '-y', '-E', 'journal_only', image)
    raise Wrong, "e2fsck: #{said}" unless status.exitstatus <= 1

    Open3.capture2e('debugfs', '-R', what == '.' ? "rdump / #{to}" : "rdump #{what} #{to}", image)
    what == '.' ? to : File.join(to, what)
  end

  def journal(state)
    Dir[File.join(state, 'arver/*/journal')].flat_map { |file| File.readlines(file, chomp: true).drop(1) }
  end
end

# What must be the case after a cut, and when the command has ended well.
class PowerJudge
  def initialize(disks)
    @disks = disks
  end

  # before: the last clean look. run: what was cut, with verb, actor, subject and disks.
  def after_cut(before, now, run)
    readable(now)
    @disks.each do |disk|
      if run.disks.include?(disk)
        run.verb == 'create' ? empty_or_ours(now, disk) : nobody_lost(before, now, run, disk)
      elsif before.areas[disk.number] != now.areas[disk.number]
        wrong "#{disk.name} has changed, which is none of this command's disks"
      end
    end
    files_untouched(before, now, run)
  end

  # What exit status 0 means. The users of each disk are those that there must be now.
  def clean(now, run)
    readable(now)
    @disks.each { |disk| clean_disk(now, disk) }
    PowerLook::SLOTS.each_key do |admin|
      wrong "the journal of #{admin} has notes: #{now.notes[admin]}" if now.notes[admin].any?
    end
    return unless %w[refresh garbage-collect].include?(run&.verb)

    files = now.held[run.actor].files.size
    wrong "#{run.actor} has #{files} key files" unless files == 1
  end

  def clean?(now, run)
    clean(now, run)
    true
  rescue Wrong
    false
  end

  private

  def wrong(what)
    raise Wrong, what
  end

  def readable(now)
    now.held.each do |admin, held|
      held.unreadable.each { |name, why| wrong "keys/#{admin}/#{name} cannot be read: #{why}" }
    end
  end

  def empty_or_ours(now, disk)
    return if now.numbers(disk).empty?

    wrong "#{disk.name} has slots #{now.numbers(disk)}" unless now.numbers(disk) == [0]
    wrong "alice holds no key for #{disk.name}, which has a slot" unless now.access?('alice', disk)
    ruby_reads(now, disk, 'alice')
  end

  def nobody_lost(before, now, run, disk)
    PowerLook::SLOTS.each_key do |admin|
      revoking = run.verb == 'del-user' && admin == run.subject
      wrong "#{admin} is locked out of #{disk.name}" if
        before.access?(admin, disk) && !now.access?(admin, disk) && !revoking
      # Who is being granted may hold an old key of an earlier grant, newer than a staged one.
      granting = run.verb == 'add-user' && admin == run.subject
      ruby_reads(now, disk, admin) unless granting && !before.access?(admin, disk)
    end
    others_slots(before, now, run, disk)
  end

  def ruby_reads(now, disk, admin)
    return if !now.access?(admin, disk) || now.ruby_access?(admin, disk)

    wrong "the newest key of #{admin} does not open #{disk.name}, and an older one does"
  end

  # To the byte. Slots that were free, or the subject's, may be anything.
  def others_slots(before, now, run, disk)
    slots = before.headers[disk.number].slots
    slots.except(PowerLook::SLOTS[run.subject], *before.opened(run.subject, disk)).each do |number, was|
      is = now.headers[disk.number]&.slots&.fetch(number, nil)
      same = is && [is.salt, is.area] == [was.salt, was.area]
      wrong "slot #{number} of #{disk.name} has changed" unless same
    end
  end

  # The key files of whom this command is not about are the very same.
  def files_untouched(before, now, run)
    (PowerLook::SLOTS.keys - [run.subject, run.actor]).each do |admin|
      wrong "key files of #{admin} have changed" unless before.held[admin].files == now.held[admin].files
    end
  end

  def clean_disk(now, disk)
    want = PowerLook::SLOTS.values_at(*disk.users).sort
    wrong "#{disk.name} has slots #{now.numbers(disk)}, not #{want}" unless now.numbers(disk) == want
    PowerLook::SLOTS.each do |admin, slot|
      opened = now.opened(admin, disk)
      wanted = disk.users.include?(admin) ? [slot] : []
      wrong "#{admin} opens slots #{opened} of #{disk.name}, not #{wanted}" unless opened == wanted
      ruby_reads(now, disk, admin)
    end
  end
end
