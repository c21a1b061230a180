#!/bin/sh
# Make the root of an image: rootfs.sh DIR VENV. Copies the virtual environment and, of this Debian system, Python with its standard
# library, the libraries that they load and the certificates of authorities. No shell, no package manager, no setuid program.
set -eu
root=$1
venv=$2
python=python3.11

mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/etc/ssl/certs" "$root/tmp" "$root/proc" "$root/dev"
chmod 1777 "$root/tmp"
for each in bin lib lib64; do ln -sfn "usr/$each" "$root/$each"; done

copy() {
  # Files whose names come on standard input, with the directories that they are in; links lead where they led.
  tar --create --directory=/ --no-recursion --files-from=- | tar --extract --directory="$root" --keep-directory-symlink
}

for package in "lib$python-stdlib" "lib$python-minimal" "$python-minimal"; do
  dpkg-query --listfiles "$package"
done | grep -v -e '^/usr/share/' -e '/lib2to3/' -e '/idlelib/' -e '^/\.$' | while read -r file; do
  if [ -f "$file" ] || [ -L "$file" ]; then echo "${file#/}"; fi
done | copy

mkdir -p "$root$(dirname "$venv")"
cp -a "$venv" "$root$venv"
# The programs of the environment are scripts of its own Python; activation is for shells.
rm -f "$root$venv"/bin/activate* "$root$venv"/bin/Activate*

# What extensions and Python load, and the loader itself.
{
  echo "/usr/bin/$python"
  find "$root$venv" "$root/usr/lib/$python" -name '*.so*' -type f
} | xargs ldd 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/lib.*ld-/ { print $1 }' | sort -u | while read -r file; do
  real=$(readlink -f "$file")
  case $real in
    "$root"*) continue ;;
  esac
  mkdir -p "$root$(dirname "$real")"
  cp -L "$real" "$root$real"
  # By the name that it is asked for.
  named=$root/usr${file#/usr}
  mkdir -p "$(dirname "$named")"
  [ -e "$named" ] || ln -s "$real" "$named"
done

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
cp -a /usr/lib/ssl "$root/usr/lib/ssl" 2>/dev/null || true
cp -L /etc/ssl/openssl.cnf "$root/etc/ssl/openssl.cnf"
cp /etc/os-release "$root/etc/os-release"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
printf 'root:x:0:0::/:/nonexistent\ncrownkeep:x:64747:64747::/var/lib/crownkeep:/nonexistent\n' > "$root/etc/passwd"
printf 'root:x:0:\ncrownkeep:x:64747:\n' > "$root/etc/group"
install -d -o 64747 -g 64747 -m 0700 "$root/var/lib/crownkeep"
